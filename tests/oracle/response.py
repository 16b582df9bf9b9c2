"""Platelet response: rule-semantics, section "Response"; clinical-evidence, section 2 for the criteria.

Rules: response-complete, response-partial, response-lost, response-none, response-none-unexposed,
response-not-evaluable, platelet-count-not-usable, taper-in-response; and `in_response`, which other rules ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tests.oracle import readings
from tests.oracle.codes import IMMUNOGLOBULINS, SIROLIMUS
from tests.oracle.counts import RESCUE_WASHOUT, Count, read_counts
from tests.oracle.course import Course
from tests.oracle.record import Record
from tests.oracle.steroids import prednisone

# rule-semantics, Response
COMPLETE, PARTIAL, FOLD = 100, 30, 2
BASELINE_DAYS, SUPPORTING_STEROID = 14, 20
BLEEDING_DAYS = 28
CONFIRM_APART = 7
LANDMARKS = ((3, 69, 111), (6, 152, 208), (12, 337, 393))  # the last by the choice of the protocol
LANDMARK_SHOWN = LOST_SHOWN = UNUSABLE_SHOWN = 14
IN_RESPONSE_DAYS = 42
COUNT_RECENT = 14
NONE_FROM, TAPER_FROM = 84, 365

CR, PR, NR, UNKNOWN = "complete", "partial", "none", "unknown"

Fires = dict[str, tuple[str, str]]


@dataclass
class Response:
    """What the counts say at ``now``.

    ``settled_on``: the day on which the response that still holds was first confirmed. ``unlooked``: nobody knows whether
    there is a response, for the newest count is confounded and 30 or more, or the newest usable one of a course with a
    confirmed response is over 42 days old.
    """

    counts: list[Count]
    baseline: Count | None
    categories: dict[int, str]
    usable: list[Count]
    in_response: bool = False
    was_confirmed: bool = False
    confirmed_cr_now_pr: bool = False
    settled_on: date | None = None
    unlooked: bool = False
    fall: tuple[Count, Count] | None = None

    @property
    def fall_percent(self) -> Decimal | None:
        """The fall of the newest usable count from the one before it."""
        if self.fall is None or self.fall[0].value <= 0:
            return None
        if "<" in self.fall[0].comparator or ">" in self.fall[1].comparator:
            return None  # what it fell from, or to, is not known
        return (self.fall[0].value - self.fall[1].value) / self.fall[0].value * 100


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


def _supported(record: Record, baseline: Count) -> bool:
    """ "A baseline under a corticosteroid of 20 mg prednisone a day or more, IVIG or anti-D within their washout".

    It judges as none does: "CR by the absolute limit still counts, under 30 is NR, 30-99 is response-not-evaluable".
    """
    washout = [baseline.day - timedelta(days=n) for n in range(RESCUE_WASHOUT + 1)]
    under = washout if readings.STEROID_SUPPORTS_IN_ITS_WASHOUT else washout[:1]
    if any(prednisone(record, day) >= SUPPORTING_STEROID for day in under):
        return True
    gifts = [o.end or o.start for o in record.orders if o.code in IMMUNOGLOBULINS and not o.draft]
    gifts += [w.day for code, w in record.given if code in IMMUNOGLOBULINS]
    return any(day in washout for day in gifts)


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
    counts = read_counts(record, start, course.start is not None)
    known = course.start is not None and course.start_known
    baseline = _baseline(record, counts, start) if known else None
    judged_by = None if baseline is None or _supported(record, baseline) else baseline
    usable = [c for c in counts if not c.why and (c.day > start or (c.day == start and c is not baseline))]
    usable = usable if course.start is not None else []
    categories = [_category(record, c, judged_by) for c in usable]
    response = Response(counts, baseline, dict(enumerate(categories)), usable)
    if usable:
        # judged from the counts of this course; a count from before it is no response to it
        last = len(usable) - 1
        young = (record.today - usable[-1].day).days <= IN_RESPONSE_DAYS and not course.over(record.today)
        # "the newest usable count, at most 42 days old, is CR or PR and is confirmed"
        response.in_response = young and _confirmed(usable, categories, last, PR)
        complete = any(_confirmed(usable, categories, i, CR) for i in range(len(usable)))
        sure = [i for i in range(len(usable)) if _confirmed(usable, categories, i, PR)]
        response.was_confirmed = bool(sure)
        first = _run_start(usable, categories)
        response.settled_on = usable[first].day if first >= 0 else None
        response.confirmed_cr_now_pr = complete and categories[-1] == PR
        response.unlooked = bool(sure) and not young
    real = [c for c in counts if c.why not in ("clumped", "wrong_specimen")]  # the others are no counts
    newest = real[-1] if real else None
    if newest and newest.day >= start and newest.why.startswith("confounded") and newest.value >= PARTIAL:
        response.unlooked = True
    good = [c for c in counts if not c.why]
    on_it = not readings.FALL_ON_SIROLIMUS or course.start is None
    if good and course.start is not None:
        on_it |= good[-1].day >= course.start and all((course.start - c.day).days <= BASELINE_DAYS for c in good[-2:])
    if len(good) > 1 and on_it:
        response.fall = good[-2], good[-1]
    return response


def _run_start(usable: list[Count], categories: list[str]) -> int:
    """The count that first confirmed the response that the newest count is still in; -1 where there is none."""
    first = -1
    for i in range(len(usable) - 1, -1, -1):
        if not _meets(categories[i], PR) and readings.A_YEAR_WITHOUT_A_BREAK:
            break
        if _confirmed(usable, categories, i, PR):
            first = i
    return first


def _landmark(record: Record, course: Course, r: Response) -> Fires:
    """The landmark whose card shows today."""
    assert course.start
    today = (record.today - course.start).days
    cut = [day for day in record.splenectomies if course.start <= day <= record.today]
    for _, first, last in LANDMARKS:
        inside = [i for i, c in enumerate(r.usable) if first <= (c.day - course.start).days <= last]
        shown: Fires = {"response-not-evaluable": ("info", "")}
        if cut:
            # "the card is response-not-evaluable and says "confounded", whatever older counts say": at once, for 14 days
            since = max((min(cut) - course.start).days, first)
            if since <= last and 0 <= today - since <= LANDMARK_SHOWN:
                return shown
            continue
        if not inside:
            others = [
                c for c in r.counts if c.why.startswith("confounded") and first <= (c.day - course.start).days <= last
            ]
            if any((record.today - c.day).days <= LANDMARK_SHOWN for c in others) and today <= last + LANDMARK_SHOWN:
                return shown
            if last < today <= last + LANDMARK_SHOWN:
                return shown
            continue
        newest = inside[-1]
        category = r.categories[newest]
        if category == UNKNOWN:
            if (record.today - r.usable[newest].day).days <= LANDMARK_SHOWN:
                return shown
            continue
        if category == NR:
            continue
        cats = list(r.categories.values())
        settles = newest
        if _confirmed(r.usable, cats, newest, category):
            # the one that confirms it: the first of the run that is confirmed already
            for i in reversed(inside):
                if not _confirmed(r.usable, cats, i, category) or cats[i] != category:
                    break
                settles = i
        if (record.today - r.usable[settles].day).days > LANDMARK_SHOWN:
            continue
        return {f"response-{category}": ("info", "")}
    return {}


def rules(record: Record, course: Course, r: Response, exposed: bool) -> Fires:
    """The response rules that speak on opening the chart. ``exposed``: a usable trough reached the floor."""
    fires: Fires = {}
    if _unusable(record, r):
        fires["platelet-count-not-usable"] = ("info", "")
    if not record.itp or course.start is None or not course.start_known:
        return fires
    fires |= _landmark(record, course, r)
    if any(course.start <= day <= record.today for day in record.splenectomies):
        return fires  # confounded, whatever older counts say
    if _lost(record, r):
        fires["response-lost"] = ("warning", "")
    if _none(record, course, r):
        fires |= {"response-none": ("warning", "")} if exposed else {"response-none-unexposed": ("info", "")}
    if _taper(record, course, r):
        fires["taper-in-response"] = ("info", "")
    return fires


def _unusable(record: Record, r: Response) -> bool:
    """The newest count is of no use, for 14 days; "on the first count per rescue"."""
    if not r.counts or not r.counts[-1].why or (record.today - r.counts[-1].day).days > UNUSABLE_SHOWN:
        return False
    newest = r.counts[-1]
    if newest.why == "confounded for good":  # told by the landmark
        return readings.FOR_GOOD_IS_TOLD
    if newest.why != "confounded":
        return True
    # a count of the very day of a rescue is likely the one that it was given for
    before = [c for c in r.counts if c.why == "confounded" and (c.day < newest.day or readings.TOLD_ON_THE_DAY)]
    told = {rescue for c in before if c is not newest for rescue in c.rescues if c.day > rescue[1]}
    return any(rescue not in told for rescue in newest.rescues)


def _none(record: Record, course: Course, r: Response) -> bool:
    """From day 84, the newest usable count is NR and at most 42 days old, in a course without a confirmed response.

    "Silent while newer counts are confounded".
    """
    assert course.start
    if not r.usable or r.was_confirmed or (record.today - course.start).days < NONE_FROM:
        return False
    newest = r.usable[-1]
    if any(c.why.startswith("confounded") and c.day > newest.day for c in r.counts):
        return False
    young = (record.today - newest.day).days <= IN_RESPONSE_DAYS
    return young and r.categories[len(r.usable) - 1] == NR


def _taper(record: Record, course: Course, r: Response) -> bool:
    """A confirmed response that has lasted for a year, while sirolimus is taken."""
    taken = any(o.status != "on-hold" for o in course.current)
    return (
        taken
        and r.in_response
        and r.settled_on is not None
        and (record.today - r.settled_on).days >= TAPER_FROM
    )  # fmt: skip


def _lost(record: Record, r: Response) -> bool:
    """Confirmed once, and the two newest usable counts, a day or more apart, are neither; for 14 days."""
    if not r.was_confirmed or len(r.usable) < 2:
        return False
    last = len(r.usable) - 1
    earlier = [i for i in range(last) if r.usable[i].day < r.usable[last].day]
    if not earlier or (record.today - r.usable[last].day).days > LOST_SHOWN:
        return False
    return all(r.categories[i] == NR for i in range(earlier[-1], last + 1))
