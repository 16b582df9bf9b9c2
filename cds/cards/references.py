"""The resources that a card is based on, in words: what each one is, and its date. The resources themselves are in the extension."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from cds.chart.times import Moment
from cds.facts import Situation

_SHORT = {"level": "level", "trough": "level", "platelets": "count"}
"""Tests that a card names in one word."""
_KINDS = {
    "Patient": "age and sex on record",
    "MedicationAdministration": "dose given",
    "MedicationStatement": "medication statement",
    "AllergyIntolerance": "allergy",
}


def in_words(references: Sequence[str], situation: Situation) -> list[str]:
    """Each resource once, such as "level of 2024-02-25"; for one that the chart does not describe, its type."""
    known = dict(_told(situation, frozenset(references)))
    return list(dict.fromkeys(known.get(each) or _kind(each) for each in references))


def _told(situation: Situation, wanted: Collection[str]) -> Iterator[tuple[str, str]]:
    chart, measures = situation.chart, situation.knowledge.measures
    for name, labs in chart.labs.items():
        what = _SHORT.get(name) or (measures[name].means if name in measures else _words(name))
        yield from ((lab.reference, _of(what, lab.moment)) for lab in labs if lab.reference in wanted)
    for drug in chart.drugs:
        if drug.reference in wanted:
            yield drug.reference, _of(f"{'draft of ' if drug.draft else ''}{drug.name}", drug.start)
    for problem in (*chart.problems, *chart.allergies):
        if problem.reference in wanted:
            yield problem.reference, _of(problem.display or problem.name, problem.onset)
    for order in chart.orders:
        if order.reference in wanted:
            yield order.reference, "draft order" if order.draft else _of("order", order.start or order.authored)
    for intake in (*chart.intakes, *chart.missed, *chart.held):
        if intake.reference in wanted:
            yield intake.reference, _of("dose", intake.moment)
    for event in chart.events:
        if event.reference in wanted:
            yield event.reference, _of(_words(event.name), event.moment)
    for plan in chart.plans:
        if plan.reference in wanted:
            yield plan.reference, _of(plan.display, plan.day)


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _of(what: str, moment: Moment | None) -> str:
    return f"{what} of {moment.day.isoformat()}" if moment is not None else what


def _kind(reference: str) -> str:
    """A type of resource as words: ServiceRequest is a service request."""
    kind = reference.partition("/")[0]
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind)
    return _KINDS.get(kind) or words.strip() or reference
