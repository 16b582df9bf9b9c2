"""Allergies that are a reason not to give sirolimus, or its oral solution; and the draft orders that could be removed."""

from __future__ import annotations

from collections.abc import Sequence

from cds.chart.model import Problem
from cds.chart.words import on_day
from cds.course.patient import Patient
from cds.plan.declare import Answer, Known, Named, names

_NONE = "no such allergy is on record"


def _listed(allergies: Sequence[Problem], name: str, patient: Patient) -> Answer[list[Named]]:
    """The allergies with this name, each listed once; none unless sirolimus is taken or being ordered."""
    found = [each for each in allergies if each.name == name and patient.concerned]
    unique = {each.display.lower(): each for each in found}
    named = [Named(display, f"recorded {on_day(each.onset)}", (each.reference,)) for display, each in unique.items()]
    return Known(named, [each.reference for each in found])


@names("allergies to sirolimus or another mTOR inhibitor on record", none=_NONE)
def sirolimus_allergies(allergies: tuple[Problem, ...], patient: Patient) -> Answer[list[Named]]:
    return _listed(allergies, "sirolimus-allergy", patient)


@names("allergies to peanut or soya on record", none=_NONE)
def excipient_allergies(allergies: tuple[Problem, ...], patient: Patient) -> Answer[list[Named]]:
    return _listed(allergies, "soya-or-peanut", patient)


@names("the draft orders of sirolimus", none="sirolimus is not among the draft orders")
def sirolimus_drafts(patient: Patient) -> Answer[list[Named]]:
    return [Named("sirolimus", "draft order", (draft.reference,), draft=True) for draft in patient.drafts]
