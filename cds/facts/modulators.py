"""Drugs that move the level: which are taken or ordered with sirolimus, and the worst of what levels show about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from cds.course.kinds import Episodes, Uses
from cds.course.modulators import Judging, Meeting
from cds.course.patient import Patient
from cds.facts.interactions import HERBAL_INDUCERS, HERBALS, known_on, listed_once
from cds.plan.declare import Answer, Days, Known, Named, Unknown, code, flag, names, number, part, text

_NONE = "no such drug meets sirolimus now"
_ANSWERED = "no such drug meets sirolimus now, or a level in the target answers it"
_STATE = "unsettled out_of_target in_target"
_STATED = "what a usable level says of them"
_AGE = "days since the level that shows what they do"
Meetings = list[Meeting]


def is_remedy(each: Meeting) -> bool:
    """Whether the drug is a remedy that the patient takes without an order."""
    return each.stated and each.name in HERBALS


def _ordered(meetings: Meetings) -> Meetings:
    return [each for each in meetings if not is_remedy(each)]


def _listed(meetings: Meetings) -> list[Named]:
    return listed_once(each.named() for each in _ordered(meetings))


def _worst(meetings: Meetings) -> Answer[str]:
    """The worst state that levels show, in the order unsettled, out of target, in target."""
    found = _ordered(meetings)
    if not found:
        return Unknown(_NONE)
    return Known(min(found, key=Meeting.rank).state, [r for each in found for r in each.references])


def _age(meetings: Meetings) -> Answer[Decimal]:
    found = _ordered(meetings)
    age = min(found, key=Meeting.rank).level_age if found else None
    return Decimal(age) if age is not None else Unknown(_NONE if not found else "no level shows yet what they do")


@part
def strong_inhibitors_met(
    judging: Judging, strong_inhibitor_uses: Uses, strong_inhibitor_episodes: Episodes
) -> Meetings:
    """Strong inhibitors taken or drafted with sirolimus, including stated remedies."""
    return judging.meetings(strong_inhibitor_uses, strong_inhibitor_episodes)


@part
def strong_inducers_met(judging: Judging, strong_inducer_uses: Uses, strong_inducer_episodes: Episodes) -> Meetings:
    """Strong inducers taken or drafted with sirolimus, including stated remedies."""
    return judging.meetings(strong_inducer_uses, strong_inducer_episodes)


@part
def moderate_inhibitors_met(
    judging: Judging, moderate_inhibitor_uses: Uses, moderate_inhibitor_episodes: Episodes
) -> Meetings:
    """Moderate inhibitors taken or drafted with sirolimus, including stated remedies."""
    return judging.meetings(moderate_inhibitor_uses, moderate_inhibitor_episodes)


@part
def moderate_inducers_met(
    judging: Judging, moderate_inducer_uses: Uses, moderate_inducer_episodes: Episodes
) -> Meetings:
    """Moderate inducers taken or drafted with sirolimus, including stated remedies."""
    return judging.meetings(moderate_inducer_uses, moderate_inducer_episodes)


@names("strong CYP3A4 or P-gp inhibitors taken or ordered with sirolimus", none=_NONE)
def strong_inhibitors(strong_inhibitors_met: Meetings) -> Answer[list[Named]]:
    return _listed(strong_inhibitors_met)


@code(_STATE, "what a usable level says of them: nothing yet, out of target, in target")
def strong_inhibitors_state(strong_inhibitors_met: Meetings) -> Answer[str]:
    return _worst(strong_inhibitors_met)


@number("day", "1", _AGE)
def strong_inhibitors_level_age(strong_inhibitors_met: Meetings) -> Answer[Decimal]:
    return _age(strong_inhibitors_met)


@names("strong CYP3A4 or P-gp inducers taken or ordered with sirolimus", none=_NONE)
def strong_inducers(strong_inducers_met: Meetings) -> Answer[list[Named]]:
    return _listed(strong_inducers_met)


@code(_STATE, _STATED)
def strong_inducers_state(strong_inducers_met: Meetings) -> Answer[str]:
    return _worst(strong_inducers_met)


@number("day", "1", _AGE)
def strong_inducers_level_age(strong_inducers_met: Meetings) -> Answer[Decimal]:
    return _age(strong_inducers_met)


@code(_STATE, _STATED, inner=True)
def moderate_inhibitors_state(moderate_inhibitors_met: Meetings) -> Answer[str]:
    return _worst(moderate_inhibitors_met)


@names("moderate CYP3A4 inducers taken or ordered with sirolimus", none=_NONE)
def moderate_inducers(moderate_inducers_met: Meetings) -> Answer[list[Named]]:
    return _listed(moderate_inducers_met)


@code(_STATE, _STATED, inner=True)
def moderate_inducers_state(moderate_inducers_met: Meetings) -> Answer[str]:
    return _worst(moderate_inducers_met)


@names("moderate CYP3A4 inhibitors or inducers with sirolimus that no level in target answers", none=_ANSWERED)
def moderate_modulators(moderate_inhibitors_met: Meetings, moderate_inducers_met: Meetings) -> Answer[list[Named]]:
    both = [*_ordered(moderate_inhibitors_met), *_ordered(moderate_inducers_met)]
    unanswered = [each for each in both if each.state != "in_target"]
    return known_on(listed_once(each.named() for each in unanswered), _began(unanswered))


def _began(met: Sequence[Meeting]) -> date | None:
    """The day on which the last of them began; None if one is only a draft order, or its start is not known."""
    if any(each.draft or each.start is None for each in met):
        return None
    return max((each.start.day for each in met if each.start is not None), default=None)


@text("what these do to the level: rise, fall, or both, in words")
def moderate_effect(moderate_inhibitors_state: str | Unknown, moderate_inducers_state: str | Unknown) -> Answer[str]:
    both = (("rise", moderate_inhibitors_state), ("fall", moderate_inducers_state))
    does = [word for word, state in both if state in ("unsettled", "out_of_target")]
    return " or ".join(does) if does else Unknown(_ANSWERED)


@flag("no usable level shows yet what a moderate modulator does")
def moderate_unsettled(
    moderate_inhibitors_state: str | Unknown, moderate_inducers_state: str | Unknown
) -> Answer[bool]:
    return "unsettled" in (moderate_inhibitors_state, moderate_inducers_state)


@part
def remedies(
    strong_inhibitors_met: Meetings,
    strong_inducers_met: Meetings,
    moderate_inhibitors_met: Meetings,
    moderate_inducers_met: Meetings,
) -> Meetings:
    """Remedies that move the level and that the patient takes without an order."""
    every = (*strong_inhibitors_met, *strong_inducers_met, *moderate_inhibitors_met, *moderate_inducers_met)
    return [each for each in every if is_remedy(each)]


@names("moderate inhibitors that no usable level has followed yet", none="no inhibitor waits for a level")
def unsettled_inhibitors(moderate_inhibitors_met: Meetings, remedies: Meetings) -> Answer[list[Named]]:
    """Includes remedies that raise the level."""
    waiting = [each for each in remedies if each.name not in HERBAL_INDUCERS]
    waiting += _ordered(moderate_inhibitors_met)
    return listed_once(each.named() for each in waiting if each.state == "unsettled")


@part
def spoken_remedies(remedies: Meetings, patient: Patient, herbal_shown: Days) -> Meetings:
    """Remedies that are new, or all remedies while an order is being written."""
    return [each for each in remedies if each.new_for(patient, herbal_shown)]


@names(
    "St John's wort, cannabidiol or Schisandra that the patient takes without an order", none="no such remedy is stated"
)
def herbals(spoken_remedies: Meetings) -> Answer[list[Named]]:
    return listed_once(each.named() for each in spoken_remedies)


@names("those of them that raise the level", none="no such remedy is stated")
def herbal_inhibitors(spoken_remedies: Meetings) -> Answer[list[Named]]:
    return listed_once(each.named() for each in spoken_remedies if each.name not in HERBAL_INDUCERS)
