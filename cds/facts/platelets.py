"""The newest platelet count, as measured."""

from __future__ import annotations

from decimal import Decimal

from cds.chart.words import COUNT
from cds.course.counts import Count
from cds.course.patient import Patient
from cds.plan.declare import Answer, Days, Known, Unknown, number, part


@part
def real_counts(counts: list[Count]) -> list[Count]:
    """Counts of actual platelets, newest first, whatever explains them; none with clumps, none from plasma."""
    return [each for each in counts if not each.why_not or each.confounded or each.lab.status == "preliminary"]


@part
def newest_count(real_counts: list[Count], count_recent: Days, patient: Patient) -> Answer[Count]:
    """The newest real count, if it is recent and not only a lower bound."""
    newest = next(iter(real_counts), None)
    recent = newest is not None and newest.moment.days_until(patient.now) <= count_recent
    if newest is None or not recent or newest.comparator.startswith(">"):
        return Unknown(f"there is no platelet count of the last {count_recent} days")
    return newest


@number(
    COUNT,
    "1",
    "the newest platelet count that is none of clumps or plasma, at most {count_recent} days old",
    report="that count as reported, with its date",
)
def platelet_count(newest_count: Count) -> Answer[Decimal]:
    count = newest_count
    return Known(count.at_most, [count.lab.reference], count.moment.day, count.words)


@number("day", "1", "days since that count was drawn")
def platelet_count_age(newest_count: Count, patient: Patient) -> Answer[Decimal]:
    return Known(Decimal(newest_count.moment.days_until(patient.now)), [newest_count.lab.reference])
