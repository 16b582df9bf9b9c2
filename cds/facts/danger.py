"""Low counts and falling ones: is it bleeding, is it known, is it a count at all, and what keeps it up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cds.facts.bleeding import Bleed, bleeds, uncounted_grades
from cds.facts.platelets import Count
from cds.facts.record import on_day
from cds.facts.situation import Situation


def put_danger(situation: Situation) -> None:
    """What the platelet counts of a patient on sirolimus say about danger, whatever the response."""
    _put_bleeding(situation)
    _put_stable(situation)
    _put_unusable(situation)
    _put_fall(situation)


def _put_bleeding(situation: Situation) -> None:
    now = [bleed for bleed in bleeds(situation) if _goes_on(situation, bleed)]
    facts = situation.facts
    facts.put("bleeding_now", bool(now), *(bleed.reference for bleed in now))
    for fact, kind in (("bleeding_life_now", "bleeding-life"), ("bleeding_gut_now", "bleeding-gut")):
        mine = [bleed.reference for bleed in now if bleed.kind == kind]
        facts.put(fact, bool(mine), *mine)
    words = "; ".join(f"{bleed.words} on {on_day(bleed.onset)}" for bleed in now) or "none is documented"
    unread = (
        "; a grade of bleeding is on record that cannot be read or is not final" if uncounted_grades(situation) else ""
    )
    facts.put("bleeding_now_report", words + unread)


def _goes_on(situation: Situation, bleed: Bleed) -> bool:
    """A bleed beyond the skin that began lately and is not known to be over."""
    if not bleed.beyond_skin or bleed.closed:
        return False
    over = bleed.end is not None and not bleed.end.is_after(situation.now)
    return not over and bleed.onset.days_until(situation.now) <= situation.days("bleeding_now_days")


def _put_stable(situation: Situation) -> None:
    """Three usable counts or more, the newest count among them, over four weeks, close to one another, and no bleeding beside them."""
    usable = [count for count in situation.counts if not count.why_not and not count.comparator]
    newest = situation.counts[:1]
    ahead = [count.value for count in newest if count.lab.status == "preliminary" and not count.comparator]
    if usable and not ahead and usable[0] is not newest[0]:
        usable = []  # the count that is spoken of is another one: nobody knows it yet
    stable, span = False, situation.days("stable_count_days")
    spread, needed = situation.definitions["stable_count_spread"], situation.days("stable_counts")
    values, waiting = list(ahead), len(ahead)  # a preliminary count must agree, and is none of those
    for count in usable:
        values.append(count.value)
        if max(values) <= 0 or (max(values) - min(values)) * 100 > spread * max(values):
            break
        if len(values) - waiting >= needed and count.moment.days_to(usable[0].moment) >= span:
            stable = not _bled_beside(situation, count)
            break
    situation.facts.put("stable_low_count", stable, *(count.lab.reference for count in usable[:needed] if stable))


def _bled_beside(situation: Situation, first: Count) -> bool:
    """Any bleeding, of the skin too, since the days that belong to the first of the counts."""
    since = first.moment.day - timedelta(days=situation.days("bleeding_days"))
    return any(bleed.onset.day >= since for bleed in bleeds(situation))


def _put_unusable(situation: Situation) -> None:
    facts = situation.facts
    names = ("unusable_count", "unusable_count_report", "unusable_count_why")
    newest = next((count for count in situation.counts if count.lab.status != "preliminary"), None)
    if not situation.still_counts and not situation.drafts:
        facts.miss("sirolimus is not being taken", *names)
    elif newest is None or not newest.why_not:
        facts.miss("the newest platelet count is usable" if newest else "there is no platelet count", *names)
    elif newest.for_good:
        facts.miss("no count of this course can be used any more", *names)
    elif newest.moment.days_until(situation.now) > situation.days("count_recent"):
        facts.miss("the newest platelet count is too old to speak of", *names)
    elif newest.confounded and _told(situation, newest):
        facts.miss("an earlier count after the same treatment was spoken of", *names)
    else:
        wrong = "wrong_specimen" if newest.lab.wrong_specimen else "clumped"
        facts.put("unusable_count", "confounded" if newest.confounded else wrong, newest.lab.reference)
        facts.put("unusable_count_report", newest.words(), newest.lab.reference)
        facts.put("unusable_count_why", newest.why_not)


def _told(situation: Situation, newest: Count) -> bool:
    """Whether an earlier count lies in all that explains the newest one: once for each treatment is enough.

    A count of the very day of a treatment is likely the one that it was given for, and does not count here.
    """
    earlier = (each for each in situation.counts if each.confounded and each.moment.day < newest.moment.day)
    before = next(earlier, None)
    return before is not None and newest.since is not None and newest.since < before.moment.day


def _put_fall(situation: Situation) -> None:
    """The newest usable count, of this course, against the one before it, which may be from the days of a baseline."""
    start, facts = situation.course.start, situation.facts
    usable = [count for count in situation.counts if not count.why_not]
    recent, unseen = situation.days("count_recent"), start is None and situation.day is None
    of_course = usable and (unseen or (start is not None and usable[0].moment.day >= start.day))
    if len(usable) > 1 and start is not None and usable[1].moment.days_to(start) > situation.days("baseline_days"):
        of_course = False  # what a count fell from before that, it did not fall from on sirolimus
    age = usable[0].moment.days_until(situation.now) if usable else 0
    if not of_course or len(usable) < 2 or age > situation.days("tma_acts") or not usable[1].value:
        facts.miss("there are no two usable counts, the newer one recent and of this course", "platelet_fall")
        return
    newer, older = usable[0], usable[1]
    if older.comparator or newer.comparator.startswith(">"):
        facts.miss("one of the two counts is only a bound", "platelet_fall")
        return
    fall = max((older.value - newer.value) * 100 / older.value, Decimal(0))
    references = (newer.lab.reference, older.lab.reference)
    facts.put("platelet_fall_lately", fall, *references, on=newer.moment.day)
    if age > recent:
        facts.miss("the newest usable count is too old to speak of", "platelet_fall")
        return
    facts.put("platelet_fall", fall, *references, on=newer.moment.day)
    facts.put("platelet_fall_report", f"{older.words()}, then {newer.words()}")
    facts.put("usable_count", newer.value, newer.lab.reference, on=newer.moment.day)
    facts.put("count_before", older.value, older.lab.reference, on=older.moment.day)
    facts.put("days_from_count_before", Decimal(older.moment.days_to(newer.moment)), *references)
