"""Blood and urine tests by which the harm of sirolimus shows: the newest, how it moved, and against what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cds.chart.model import Lab
from cds.chart.samples import distinct
from cds.facts.record import reported
from cds.facts.situation import Situation

_PLAIN = {
    "neutrophils": "neutrophils",
    "hemoglobin": "hemoglobin",
    "triglycerides": "triglycerides",
    "cholesterol": "cholesterol",
    "fasting_glucose": "glucose",
    "hba1c": "hba1c",
}
"""Each fact that is the newest value of a test."""


_FINEST = Decimal("0.000001")  # of what a fact can say
_LATELY = {
    "triglycerides_lately": ("triglycerides", "lipids_act"),
    "cholesterol_lately": ("cholesterol", "lipids_act"),
}
"""Each fact that is the newest value of a test for longer, with the definition that says for how long it acts."""


def put_toxicity(situation: Situation) -> None:
    """State the newest value of each test, if it is recent, and what it is compared with."""
    facts, recent = situation.facts, situation.days("lab_recent")
    for fact, test in _PLAIN.items():
        labs = _results(situation, test)
        if not labs or _age(situation, labs[0]) > recent:
            facts.miss(f"there is no result of the last {recent} days", fact, f"{fact}_report")
            continue
        facts.put(fact, _value(labs[0]), labs[0].reference, on=_day(labs[0]))
        facts.put(f"{fact}_report", reported(labs[0], situation.unit(test)), labs[0].reference)
    for fact, (test, acts) in _LATELY.items():
        labs = _results(situation, test)
        if labs and _age(situation, labs[0]) <= situation.days(acts):
            facts.put(fact, _value(labs[0]), labs[0].reference, on=_day(labs[0]))
    _put_hemoglobin_fall(situation)
    _put_urine(situation, "protein-ratio", "proteinuria")
    _put_urine(situation, "albumin-ratio", "albuminuria")
    _put_creatinine(situation)
    _put_creatinine_rise(situation)
    _put_liver(situation)
    _put_known_glucose(situation)


def _day(lab: Lab) -> date:
    assert lab.moment is not None
    return lab.moment.day


def _results(situation: Situation, *tests: str, worse: bool = True) -> list[Lab]:
    """Final results, newest first; ``worse`` for what is judged, not for what it is compared with, which must be exact.

    A bound counts where it tells of harm, as "<0.2" of neutrophils; one that may be harmless ends what is known.
    """
    found: list[Lab] = []
    for lab in distinct([lab for test in tests for lab in situation.chart.lab(test)], worse):
        if lab.status == "preliminary" or lab.amount is None:
            continue
        tells = "<" if lab.lower_is_worse else ">"
        if not lab.amount.comparator or (worse and lab.amount.comparator[0] == tells):
            found.append(lab)
        elif worse:
            break
    return found


def _value(lab: Lab) -> Decimal:
    """The value; of a bound such as "<0.2" or ">1000" the nearest that it can be."""
    assert lab.amount is not None
    nearest = {"<": -_FINEST, ">": _FINEST}
    return max(lab.amount.value + nearest.get(lab.amount.comparator, Decimal(0)), Decimal(0))


def _age(situation: Situation, lab: Lab) -> int:
    assert lab.moment is not None
    return lab.moment.days_until(situation.now)


def _put_hemoglobin_fall(situation: Situation) -> None:
    """From the highest value of the days before the newest one; also where the newest is of the last weeks."""
    facts, labs = situation.facts, _results(situation, "hemoglobin")
    if not labs or labs[0].moment is None or _age(situation, labs[0]) > situation.days("tma_acts"):
        return
    newest, days = labs[0], situation.days("hemoglobin_fall_days")
    others = [
        lab for lab in _results(situation, "hemoglobin", worse=False) if lab.moment and lab.moment != newest.moment
    ]
    before = [lab for lab in others if lab.moment and newest.moment and 0 <= lab.moment.days_to(newest.moment) <= days]
    highest = max(before, key=_value, default=None)
    if highest is None:
        facts.miss(f"there is no other value of the {days} days before", "hemoglobin_fall")
        return
    fall = max(_value(highest) - _value(newest), Decimal(0))
    names = ["hemoglobin_fall_lately", *(["hemoglobin_fall"] if "hemoglobin" in facts.values else [])]
    for name in names:
        facts.put(name, fall, newest.reference, highest.reference, on=_day(newest))


def _put_urine(situation: Situation, test: str, fact: str) -> None:
    """The lower of the two newest samples of different days: one sample alone proves nothing."""
    facts, labs, report = situation.facts, _results(situation, test), f"{fact}_report"
    recent, apart = situation.days("lab_recent"), situation.days("protein_second")
    if not labs or _age(situation, labs[0]) > situation.days("protein_acts"):
        facts.miss(f"there is no result of the last {recent} days", fact, report)
        return
    newest = labs[0]
    second = next((lab for lab in labs[1:] if _day(lab) < _day(newest)), None)
    if second is None or (_day(newest) - _day(second)).days > apart:
        facts.miss("no second sample of another day confirms it", fact, report)
        return
    lower, references = min(_value(newest), _value(second)), (newest.reference, second.reference)
    facts.put(f"{fact}_lately", lower, *references, on=_day(newest))
    if _age(situation, newest) <= recent:
        facts.put(fact, lower, *references, on=_day(newest))
        facts.put(report, f"{reported(newest, 'g/g')}, after {reported(second, 'g/g')}", *references)
    else:
        facts.miss(f"there is no result of the last {recent} days", fact, report)


def _put_creatinine(situation: Situation) -> None:
    """The newest value over the one before the course, which must not be older than a year."""
    facts, labs = situation.facts, _results(situation, "creatinine")
    start, recent = (situation.earlier or situation.course).start, situation.days("lab_recent")
    names = ("creatinine_ratio", "creatinine_report")
    if not labs or _age(situation, labs[0]) > recent or start is None:
        facts.miss(f"there is no result of the last {recent} days", *names)
        return
    oldest = situation.days("creatinine_baseline_days")
    known = _results(situation, "creatinine", worse=False)
    base = next((lab for lab in known if lab.moment and 0 <= lab.moment.days_to(start) <= oldest), None)
    if base is None or base.moment == labs[0].moment or not _value(base):
        facts.miss("there is no result from before the course to compare with", *names)
        return
    ratio = _value(labs[0]) / _value(base)
    facts.put("creatinine_ratio", ratio, labs[0].reference, base.reference, on=_day(labs[0]))
    unit = situation.unit("creatinine")
    facts.put("creatinine_report", f"{reported(labs[0], unit)}, before the course {reported(base, unit)}")


def _put_creatinine_rise(situation: Situation) -> None:
    """The newest value over the lowest of the year before it: a kidney that has been ill for long does not rise."""
    facts, labs = situation.facts, _results(situation, "creatinine")
    if not labs or _age(situation, labs[0]) > situation.days("creatinine_acts"):
        facts.miss("there is no recent creatinine", "creatinine_rise")
        return
    newest, year = labs[0], situation.days("creatinine_baseline_days")
    known = _results(situation, "creatinine", worse=False)
    before = [lab for lab in known if 0 < (_day(newest) - _day(lab)).days <= year and _value(lab)]
    lowest = min(before, key=_value, default=None)
    if lowest is None:
        facts.miss("there is no creatinine of the year before", "creatinine_rise")
        return
    facts.put("creatinine_rise", _value(newest) / _value(lowest), newest.reference, lowest.reference, on=_day(newest))


def _put_liver(situation: Situation) -> None:
    """The higher of the two enzymes, as a multiple of its laboratory's own upper limit."""
    facts, recent = situation.facts, situation.days("lab_recent")
    found = [labs[0] for test in ("alt", "ast") if (labs := _results(situation, test))]
    acts = situation.days("enzymes_act")
    long = [(_value(lab) / lab.upper, lab) for lab in found if lab.upper and _age(situation, lab) <= acts]
    if long:
        ratio, lab = max(long, key=lambda each: each[0])
        facts.put("liver_enzymes_lately", ratio, lab.reference, on=_day(lab))
    rated = [each for each in long if _age(situation, each[1]) <= recent]
    if not rated:
        facts.miss("there is no recent result with an upper limit", "liver_enzymes", "liver_enzymes_report")
        return
    ratio, lab = max(rated, key=lambda each: each[0])
    facts.put("liver_enzymes", ratio, lab.reference, on=_day(lab))
    facts.put("liver_enzymes_report", f"{lab.name.upper()} {reported(lab, situation.unit(lab.name))}", lab.reference)


def _put_known_glucose(situation: Situation) -> None:
    """Whether glucose was as high before the course: then it is not news."""
    start = (situation.earlier or situation.course).start
    if start is None and situation.drafts:
        situation.facts.miss("sirolimus has not been taken yet", "glucose_was_high")
        return
    limits = {"glucose": "diabetes_glucose", "hba1c": "diabetes_hba1c"}
    before = [
        lab
        for test, limit in limits.items()
        for lab in _results(situation, test, worse=False)
        if start is not None and lab.moment and lab.moment.day < start.day
        if _value(lab) >= situation.definitions[limit]
    ]
    situation.facts.put("glucose_was_high", bool(before), *(lab.reference for lab in before[:1]))
