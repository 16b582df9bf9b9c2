"""Conditions in which sirolimus is dangerous: infection, liver, mouth, vessels, tumours, breast-feeding, a possible pregnancy."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from cds.chart.labs import COUNTED
from cds.chart.model import Lab, Problem
from cds.chart.words import reported
from cds.course.kinds import Labs, Problems, Samples, UnitOf
from cds.course.patient import Patient
from cds.course.problems import active, any_of, listed_problems
from cds.plan.declare import Answer, Days, Known, Named, Number, Unknown, flag, names, number, part

_REMISSION = ("remission", "resolved", "inactive")
_NONE = "none is on record"


@part
def lasting(lasting_infection_problems: Problems, now: datetime) -> list[Problem]:
    """Infections that last for years, while active."""
    return active(lasting_infection_problems, now)


@names("tuberculosis, invasive fungi and others that last for years, while active", none=_NONE)
def lasting_infections(lasting: list[Problem]) -> Answer[list[Named]]:
    return listed_problems(lasting)


@names("serious infections of the last {infection_acts} days; tuberculosis and invasive fungi while active", none=_NONE)
def serious_infections(
    lasting: list[Problem], serious_infection_problems: Problems, infection_acts: Days, now: datetime
) -> Answer[list[Named]]:
    return listed_problems([*lasting, *active(serious_infection_problems, now, infection_acts)])


@flag("sepsis is an active condition of the last {infection_acts} days")
def sepsis(sepsis_problems: Problems, infection_acts: Days, now: datetime) -> Answer[bool]:
    return any_of(active(sepsis_problems, now, infection_acts))


@flag("fever at a neutrophil count of nearly none, or so on the problem list")
def febrile_neutropenia(
    febrile_neutropenia_problems: Problems,
    fevers: list[str],
    few_neutrophils: list[str],
    infection_acts: Days,
    now: datetime,
) -> Answer[bool]:
    """Recorded as such; or fever (coded or measured) within days of a neutrophil count near zero or, without a count, of neutropenia."""
    coded = [each.reference for each in active(febrile_neutropenia_problems, now, infection_acts)]
    both = [*few_neutrophils, *fevers] if few_neutrophils and fevers else []
    return Known(bool(coded or both), [*coded, *both])


@part
def fevers(fever_problems: Problems, hot: list[str], infection_acts: Days, now: datetime) -> list[str]:
    """Fever on the problem list, and temperatures of the last days that are fever."""
    return [*(each.reference for each in active(fever_problems, now, infection_acts)), *hot]


@part
def hot(temperature_labs: Labs, fever_from: Number, fever_recent: Days, now: datetime) -> list[str]:
    """Temperatures of the last days that are fever."""
    return [
        lab.reference
        for lab in temperature_labs
        if lab.amount is not None
        and lab.moment is not None
        and lab.status in COUNTED
        and lab.amount.value >= fever_from
        and not lab.amount.comparator.startswith("<")
        and lab.moment.days_until(now) <= fever_recent
    ]


@flag("fever, measured or with a date on the problem list within {fever_recent} days")
def fever_now(hot: list[str], fever_problems: Problems, fever_recent: Days, now: datetime) -> Answer[bool]:
    """Without a date a problem may be one that comes and goes, such as hay fever or Mediterranean fever."""
    dated = [each for each in active(fever_problems, now, fever_recent) if each.onset is not None]
    found = [*hot, *(each.reference for each in dated)]
    return Known(bool(found), found)


@names("pancreatitis, of the last {pancreatitis_acts} days", none="none is on record")
def pancreatitis(pancreatitis_problems: Problems, pancreatitis_acts: Days, now: datetime) -> Answer[list[Named]]:
    return listed_problems(active(pancreatitis_problems, now, pancreatitis_acts))


@part
def few_neutrophils(
    neutrophils_samples: Samples,
    neutropenia_problems: Problems,
    neutrophils_grade_4: Number,
    lab_recent: Days,
    infection_acts: Days,
    now: datetime,
) -> list[str]:
    """The newest neutrophil count, if it is recent and close to zero; without a recent count, neutropenia on the problem list."""
    newest = next((lab for lab in neutrophils_samples if lab.status in COUNTED), None)
    if newest is None or newest.moment is None or newest.moment.days_until(now) > lab_recent:
        return [each.reference for each in active(neutropenia_problems, now, infection_acts)]
    known = newest.amount if newest.amount is not None and not newest.amount.comparator.startswith(">") else None
    return [newest.reference] if known is not None and known.value < neutrophils_grade_4 else []


@names("venous or arterial thrombosis of the last {thrombosis_acts} days", none=_NONE)
def thrombosis(thrombosis_problems: Problems, thrombosis_acts: Days, now: datetime) -> Answer[list[Named]]:
    return listed_problems(active(thrombosis_problems, now, thrombosis_acts))


@names("thrombotic microangiopathy of the last {microangiopathy_acts} days", none=_NONE)
def microangiopathies(
    microangiopathy_problems: Problems, microangiopathy_acts: Days, now: datetime
) -> Answer[list[Named]]:
    return listed_problems(active(microangiopathy_problems, now, microangiopathy_acts))


@names("nephrotic syndrome of the last {nephrotic_acts} days", none=_NONE)
def nephrotic_syndromes(nephrotic_problems: Problems, nephrotic_acts: Days, now: datetime) -> Answer[list[Named]]:
    return listed_problems(active(nephrotic_problems, now, nephrotic_acts))


@names("malignant disease that is active and not in remission", none=_NONE)
def malignancies(malignancy_problems: Problems, now: datetime) -> Answer[list[Named]]:
    return listed_problems([each for each in active(malignancy_problems, now) if each.status not in _REMISSION])


@part
def sore_mouth(stomatitis_problems: Problems, stomatitis_acts: Days, now: datetime) -> list[Problem]:
    """Stomatitis or mucositis of the last weeks."""
    return active(stomatitis_problems, now, stomatitis_acts)


@names("stomatitis or mucositis of the last {stomatitis_acts} days", none=_NONE)
def stomatitis(sore_mouth: list[Problem]) -> Answer[list[Named]]:
    return listed_problems(sore_mouth)


@flag("the record says that it is mild")
def stomatitis_mild(sore_mouth: list[Problem]) -> Answer[bool]:
    return bool(sore_mouth) and all(each.severity == "mild" for each in sore_mouth)


@part
def liver_impaired_from(
    cirrhosis_problems: Problems,
    liver_failure_problems: Problems,
    bilirubin_samples: Samples,
    bilirubin_high: Number,
    now: datetime,
) -> date:
    """The day of the newest sign of an impaired liver: the onset of a disease, or the first of the high bilirubins in a row.

    A disease without a date may have begun today; without any sign it is the first day there is.
    """
    begun = [
        each.onset.day if each.onset else now.date()
        for each in active([*cirrhosis_problems, *liver_failure_problems], now)
    ]
    high: list[date] = []
    for lab in bilirubin_samples:
        if lab.status == "preliminary" or lab.amount is None or lab.moment is None or not lab.upper:
            continue
        if lab.amount.value / lab.upper <= bilirubin_high:
            break
        high.append(lab.moment.day)
    return max([*begun, *high[-1:]], default=date.min)


@names("cirrhosis or liver failure", none=_NONE)
def liver_disease(cirrhosis_problems: Problems, liver_failure_problems: Problems, now: datetime) -> Answer[list[Named]]:
    return listed_problems(active([*cirrhosis_problems, *liver_failure_problems], now))


@flag("the patient breast-feeds, as far as the record says")
def breastfeeding(breastfeeding_problems: Problems, now: datetime) -> Answer[bool]:
    return any_of(active(breastfeeding_problems, now))


@flag("angioedema is or was on the problem list")
def angioedema_on_record(angioedema_problems: Problems, angioedema_past_problems: Problems) -> Answer[bool]:
    return any_of([*angioedema_problems, *angioedema_past_problems])


@flag("angioedema that began in the last {angioedema_acts} days and is not over")
def angioedema_recent(angioedema_problems: Problems, angioedema_acts: Days, now: datetime) -> Answer[bool]:
    return any_of(active(angioedema_problems, now, angioedema_acts))


@flag("angioedema that began in the last {angioedema_now_days} days and is not over")
def angioedema_now(angioedema_problems: Problems, angioedema_now_days: Days, now: datetime) -> Answer[bool]:
    return any_of(active(angioedema_problems, now, angioedema_now_days))


@part
def newest_bilirubin(bilirubin_samples: Samples, bilirubin_recent: Days, now: datetime) -> Answer[Lab]:
    """The newest bilirubin, if it is recent, exact, and reported with its laboratory's upper limit."""
    final = (lab for lab in bilirubin_samples if lab.status != "preliminary")
    newest = next(final, None)
    usable = newest is not None and newest.upper and newest.amount is not None and not newest.amount.comparator
    if newest is None or newest.moment is None or not usable or newest.moment.days_until(now) > bilirubin_recent:
        return Unknown(f"there is no bilirubin of the last {bilirubin_recent} days with an upper limit")
    return newest


@number(
    "x",
    "0.1",
    "the newest bilirubin over its laboratory's upper limit",
    report="that value as reported, with its date",
)
def bilirubin(newest_bilirubin: Lab, bilirubin_unit: UnitOf) -> Answer[Decimal]:
    amount, upper, moment = newest_bilirubin.amount, newest_bilirubin.upper, newest_bilirubin.moment
    assert amount is not None and upper is not None and moment is not None
    ratio = amount.value / upper
    return Known(ratio, [newest_bilirubin.reference], moment.day, lambda: reported(newest_bilirubin, bilirubin_unit))


@flag("a woman of an age at which pregnancy is possible")
def may_conceive(patient: Patient, fertile_from: Days, fertile_to: Days) -> Answer[bool]:
    ages = patient.age_range(patient.now.date())
    fertile = ages is not None and ages[1] >= fertile_from and ages[0] <= fertile_to
    return Known(patient.gender == "female" and fertile, [patient.reference])


@number("day", "1", "days since the newest negative pregnancy test")
def days_since_negative_test(hcg_labs: Labs, now: datetime) -> Answer[Decimal]:
    negative = [
        lab
        for lab in hcg_labs
        if lab.moment is not None and not lab.problem and lab.status in COUNTED and not lab.positive
    ]
    if not negative:
        return Unknown("no negative pregnancy test is on record")
    days = min(lab.moment.days_until(now) for lab in negative if lab.moment is not None)
    return Known(Decimal(days), [lab.reference for lab in negative])
