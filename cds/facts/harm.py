"""Conditions beside which sirolimus is dangerous: infection, liver, mouth, vessels, tumours, breast-feeding, a possible pregnancy."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cds.chart.labs import COUNTED
from cds.chart.model import Lab
from cds.chart.samples import distinct
from cds.facts.problems import active, on_record, put_flag, put_problems
from cds.facts.record import reported
from cds.facts.situation import Situation

_REMISSION = ("remission", "resolved", "inactive")


def put_harm(situation: Situation) -> None:
    """State the conditions that are active, and what a first order for a woman needs."""
    _put_infections(situation)
    put_flag(situation, "breastfeeding", active(situation, "breastfeeding"))
    _put_angioedema(situation)
    put_problems(situation, "thrombosis", active(situation, "thrombosis", within="thrombosis_acts"))
    put_problems(situation, "microangiopathies", active(situation, "microangiopathy", within="microangiopathy_acts"))
    sore = active(situation, "stomatitis", within="stomatitis_acts")
    put_problems(situation, "stomatitis", sore)
    situation.facts.put("stomatitis_mild", bool(sore) and all(each.severity == "mild" for each in sore))
    tumours = [each for each in active(situation, "malignancy") if each.status not in _REMISSION]
    put_problems(situation, "malignancies", tumours)
    put_problems(situation, "liver_disease", active(situation, "cirrhosis", "liver-failure"))
    _put_bilirubin(situation)
    _put_possible_pregnancy(situation)


def _put_infections(situation: Situation) -> None:
    """Infections that are serious: those that last for years while active, the others for weeks after their onset."""
    lasting = active(situation, "lasting-infection")
    others = active(situation, "serious-infection", within="infection_acts")
    put_problems(situation, "serious_infections", [*lasting, *others])
    put_problems(situation, "lasting_infections", lasting)
    put_flag(situation, "sepsis", active(situation, "sepsis", within="infection_acts"))
    _put_febrile_neutropenia(situation)


def _put_febrile_neutropenia(situation: Situation) -> None:
    """Said as such, or fever, coded or measured, within days of a neutrophil count that is nearly none or, uncounted, said to be low."""
    coded = active(situation, "febrile-neutropenia", within="infection_acts")
    fevers = [each.reference for each in active(situation, "fever", within="infection_acts")]
    fevers += [lab.reference for lab in _measured(situation)]
    few = list(_few_neutrophils(situation))
    references = [*(each.reference for each in coded), *([*few, *fevers] if few and fevers else [])]
    situation.facts.put("febrile_neutropenia", bool(references), *references)


def _measured(situation: Situation) -> list[Lab]:
    """Temperatures of the last days that are fever."""
    limit, days = situation.definitions["fever_from"], situation.days("fever_recent")
    return [
        lab
        for lab in situation.chart.lab("temperature")
        if lab.amount is not None
        and lab.moment is not None
        and lab.status in COUNTED
        and lab.amount.value >= limit
        and lab.moment.days_until(situation.now) <= days
    ]


def _few_neutrophils(situation: Situation) -> Iterator[str]:
    """The newest count, if it is recent and nearly none; without a recent count, neutropenia on the problem list."""
    labs = [lab for lab in distinct(situation.chart.lab("neutrophils"), worse=True) if lab.status in COUNTED]
    newest = labs[0] if labs else None
    recent = situation.days("lab_recent")
    if newest is None or newest.moment is None or newest.moment.days_until(situation.now) > recent:
        yield from (each.reference for each in active(situation, "neutropenia", within="infection_acts"))
        return
    known = newest.amount if newest.amount is not None and not newest.amount.comparator.startswith(">") else None
    if known is not None and known.value < situation.definitions["neutrophils_grade_4"]:
        yield newest.reference


def _put_angioedema(situation: Situation) -> None:
    """Ever; of the last months; and now."""
    put_flag(situation, "angioedema_on_record", on_record(situation, "angioedema", "angioedema-past"))
    put_flag(situation, "angioedema_recent", active(situation, "angioedema", within="angioedema_acts"))
    put_flag(situation, "angioedema_now", active(situation, "angioedema", within="angioedema_now_days"))


def _put_bilirubin(situation: Situation) -> None:
    """The newest bilirubin over its laboratory's own upper limit."""
    facts, days = situation.facts, situation.days("bilirubin_recent")
    names = ("bilirubin", "bilirubin_report")
    for lab in distinct(situation.chart.lab("bilirubin"), worse=True):
        if lab.amount is None or lab.moment is None or lab.status == "preliminary":
            continue
        if lab.moment.days_until(situation.now) > days or not lab.upper or lab.amount.comparator:
            break
        facts.put("bilirubin", lab.amount.value / lab.upper, lab.reference, on=lab.moment.day)
        facts.put("bilirubin_report", reported(lab, situation.unit("bilirubin")), lab.reference)
        return
    facts.miss(f"there is no bilirubin of the last {days} days with an upper limit", *names)


def _put_possible_pregnancy(situation: Situation) -> None:
    """A woman of an age to conceive, and for how many days a negative test has spoken."""
    facts, now = situation.facts, situation.now
    ages = situation.age_range(now.date())
    least, most = situation.days("fertile_from"), situation.days("fertile_to")
    may = situation.chart.gender == "female" and ages is not None and ages[1] >= least and ages[0] <= most
    facts.put("may_conceive", may, situation.chart.patient_reference)
    tests = [lab for lab in situation.chart.lab("hcg") if lab.moment and not lab.problem and lab.status in COUNTED]
    negative = [lab for lab in tests if not lab.positive]
    days = [lab.moment.days_until(now) for lab in negative if lab.moment is not None]
    if days:
        facts.put("days_since_negative_test", Decimal(min(days)), *(lab.reference for lab in negative))
    else:
        facts.miss("no negative pregnancy test is on record", "days_since_negative_test")
