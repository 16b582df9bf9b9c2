"""The total dose of the corticosteroids taken now, and for how long it has been above the dose that counts."""

from __future__ import annotations

from decimal import Decimal

from cds.chart.model import DrugUse
from cds.chart.words import MG_DAY, on_day, rounded, said
from cds.course.patient import Patient
from cds.course.steroids import Steroids
from cds.plan.declare import Answer, Known, Number, Unknown, number, part


@number(MG_DAY, "0.5", "systemic corticosteroid taken now, as prednisone")
def prednisone_daily(steroids: Steroids, steroid_dose: Number) -> Answer[Decimal]:
    if not steroids.taken:
        return Unknown("no corticosteroid is taken")
    if not steroids.line or not (steroids.exact or steroids.total > steroid_dose):
        return Unknown("the dose of the corticosteroid is not known")
    return Known(steroids.total, [steroids.line[-1][0].reference])


@part
def steroid_since(prednisone_daily: Decimal, steroids: Steroids, steroid_dose: Number) -> Answer[DrugUse]:
    """The use since which the total dose has been above the dose that counts."""
    since = steroids.since(lambda dose: dose > steroid_dose)
    if since is None or since.start is None:
        return Unknown(f"it is not above {said(steroid_dose)} mg/day")
    return since


@number(
    "day",
    "1",
    "days for which that has been above the steroid dose of the definitions",
    report="the corticosteroid, its dose as prednisone, and since when",
)
def days_on_steroid(
    steroids: Steroids, steroid_since: DrugUse, steroid_dose: Number, patient: Patient
) -> Answer[Decimal]:
    assert steroid_since.start is not None

    def words() -> str:
        taken = " and ".join(dict.fromkeys(episode.name for episode in steroids.taken))
        dose = f"{'' if steroids.exact else 'at least '}{rounded(steroids.total, '0.1')} mg/day of prednisone"
        return f"{taken} as {dose}, above {said(steroid_dose)} mg/day since {on_day(steroid_since.start)}"

    return Known(Decimal(steroid_since.start.days_until(patient.now)), [steroid_since.reference], report=words)
