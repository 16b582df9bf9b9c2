"""Platelet response: rule-semantics, section "Response"; clinical-evidence, section 2 for the criteria.

Rules: response-complete, response-partial, response-lost, response-none, response-none-unexposed,
response-not-evaluable, platelet-count-not-usable; and `in_response`, which other rules ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tests.oracle import readings
from tests.oracle.codes import SIROLIMUS
from tests.oracle.counts import Count, read_counts, stamp
from tests.oracle.course import Course
from tests.oracle.record import Record

# rule-semantics, Response
COMPLETE, PARTIAL, FOLD = 100, 30, 2
BASELINE_DAYS = 14
BLEEDING_DAYS = 28
CONFIRM_APART = 7
LANDMARKS = ((3, 69, 111), (6, 152, 208))
LANDMARK_SHOWN = LOST_SHOWN = UNUSABLE_SHOWN = 14
IN_RESPONSE_DAYS = 42
COUNT_RECENT = 14

CR, PR, NR, UNKNOWN = "complete", "partial", "none", "unknown"


@dataclass
class Response:
    """What the counts say at ``now``."""

    counts: list[Count]
    baseline: Count | None
    categories: dict[int, str]
    usable: list[Count]
    in_response: bool = False
    was_confirmed: bool = False
    confirmed_cr_now_pr: bool = False
    fall: Decimal | None = None


def _baseline(record: Record, counts: list[Count], start: date) -> Count | None:
    """The newest usable count on days -14 to 0; one of day 0 unless timed after the first administered dose."""
    doses = sorted(w.at for code, w in record.given if code in SIROLIMUS and w.at and w.day == start)
    found = None
    for count in counts:
        days = (start - count.day).days
        after = days == 0 and doses and count.when.at is not None and count.when.at > doses[0]
        if not count.why and 0 <= days <= BASELINE_DAYS and not after:
            found = count
    return found


def _category(record: Record, count: Count, baseline: Count | None) -> str:
    """CR: at least 100. PR: at least 30 and twice the baseline. Neither with bleeding in the 28 days before."""
    if any(0 <= (count.day - b).days <= BLEEDING_DAYS for b in record.bleeds):
        return NR
    if count.value >= COMPLETE:
        return CR
    if count.value < PARTIAL:
        return NR
    if baseline is None:
        return UNKNOWN
    return PR if count.value >= FOLD * baseline.value else NR


def _meets(category: str, wanted: str) -> bool:
    return category == CR or (category == PR and wanted == PR)


def _confirmed(usable: list[Count], categories: list[str], at: int, wanted: str) -> bool:
    """The count and every usable one back to one at least 7 calendar days earlier meet the category."""
    for back in range(at, -1, -1):
        if not _meets(categories[back], wanted):
            return False
        if (usable[at].day - usable[back].day).days >= CONFIRM_APART:
            return True
    return False


def read_response(record: Record, course: Course) -> Response:
    """Counts, baseline and what they say of the response."""
    start = course.start or record.today
    counts = read_counts(record, start)
    known = course.start is not None and course.start_known
    baseline = _baseline(record, counts, start) if known else None
    usable = [c for c in counts if not c.why and (c.day > start or (c.day == start and c is not baseline))]
    usable = usable if course.start is not None else []
    categories = [_category(record, c, baseline) for c in usable]
    response = Response(counts, baseline, dict(enumerate(categories)), usable)
    if usable:
        # judged from the counts of this course; a count from before it is no response to it
        young = (record.today - usable[-1].day).days <= IN_RESPONSE_DAYS and not course.over(record.today)
        response.in_response = young and categories[-1] in (CR, PR)
        complete = any(_confirmed(usable, categories, i, CR) for i in range(len(usable)))
        response.was_confirmed = any(_confirmed(usable, categories, i, PR) for i in range(len(usable)))
        response.confirmed_cr_now_pr = complete and categories[-1] == PR
    good = [c for c in counts if not c.why]
    # "how long a platelet count speaks for today": 14 days (rules/definitions.yaml, count_recent)
    on_it = not readings.FALL_ON_SIROLIMUS or course.start is None
    if good and course.start is not None:
        on_it |= good[-1].day >= course.start and all((course.start - c.day).days <= BASELINE_DAYS for c in good[-2:])
    if len(good) > 1 and on_it and good[-2].value > 0 and (record.today - good[-1].day).days <= COUNT_RECENT:
        response.fall = (good[-2].value - good[-1].value) / good[-2].value * 100
    return response


def _landmark(record: Record, course: Course, r: Response) -> dict[str, tuple[str, str]]:
    assert course.start
    today = (record.today - course.start).days
    for months, first, last in LANDMARKS:
        inside = [i for i, c in enumerate(r.usable) if first <= (c.day - course.start).days <= last]
        shown = ("info", f"Response at the {months}-month landmark cannot be evaluated")
        if not inside:
            others = [
                c for c in r.counts if c.why.startswith("confounded") and first <= (c.day - course.start).days <= last
            ]
            if any((record.today - c.day).days <= LANDMARK_SHOWN for c in others) and today <= last + LANDMARK_SHOWN:
                return {"response-not-evaluable": shown}
            if last < today <= last + LANDMARK_SHOWN:
                return {"response-not-evaluable": shown}
            continue
        newest = inside[-1]
        category = r.categories[newest]
        if category == UNKNOWN:
            if (record.today - r.usable[newest].day).days <= LANDMARK_SHOWN:
                return {"response-not-evaluable": shown}
            continue
        if category == NR:
            continue
        cats = list(r.categories.values())
        sure = _confirmed(r.usable, cats, newest, category)
        settles = newest
        if sure:  # the one that confirms it: the first of the run that is confirmed already
            for i in reversed(inside):
                if not _confirmed(r.usable, cats, i, category) or cats[i] != category:
                    break
                settles = i
        if (record.today - r.usable[settles].day).days > LANDMARK_SHOWN:
            continue
        name = "Complete response (CR)" if category == CR else "Partial response (PR, the working group's R)"
        text = f"{name} at the {months}-month landmark"
        if not sure:
            text = "Unconfirmed " + text[0].lower() + text[1:]
        return {f"response-{category}": ("info", text)}
    return {}


def rules(record: Record, course: Course, r: Response, exposed: bool) -> dict[str, tuple[str, str]]:
    """The response rules that speak on opening the chart. ``exposed``: a usable trough reached the floor."""
    fires: dict[str, tuple[str, str]] = {}
    told_once = bool(r.counts) and r.counts[-1].why == "confounded for good"  # by the landmark, not at every count
    if r.counts and r.counts[-1].why and not told_once and (record.today - r.counts[-1].day).days <= UNUSABLE_SHOWN:
        newest = r.counts[-1]
        told = f"Platelets {newest.printed} x 10^9/L on {stamp(newest.when)}"
        fires["platelet-count-not-usable"] = (
            ("info", f"{told} say nothing of sirolimus: another treatment explains them")
            if newest.why == "confounded"
            else ("info", f"{told} are no count: consider a smear and a citrate tube")
        )
    if not record.itp or course.start is None or not course.start_known:
        return fires
    fires |= _landmark(record, course, r)
    day = (record.today - course.start).days
    young = bool(r.usable) and (record.today - r.usable[-1].day).days <= IN_RESPONSE_DAYS
    lost = _lost(record, r)
    if lost:
        fires["response-lost"] = (
            "warning",
            "A confirmed platelet response to sirolimus is gone on the two newest usable counts",
        )
    if r.usable and r.categories[len(r.usable) - 1] == NR and day >= 84 and not r.was_confirmed and young:
        if exposed:
            text = f"No platelet response on day {day} of sirolimus with adequate exposure"
            fires["response-none"] = ("warning", text)
        else:
            text = f"No platelet response on day {day}, and no usable trough has reached 5 ng/mL"
            fires["response-none-unexposed"] = ("info", text)
    return fires


def _lost(record: Record, r: Response) -> bool:
    """Confirmed once, and the two newest usable counts, a day or more apart, are neither; for 14 days."""
    if not r.was_confirmed or len(r.usable) < 2:
        return False
    last = len(r.usable) - 1
    earlier = [i for i in range(last) if r.usable[i].day < r.usable[last].day]
    if not earlier or (record.today - r.usable[last].day).days > LOST_SHOWN:
        return False
    return all(r.categories[i] == NR for i in range(earlier[-1], last + 1))
