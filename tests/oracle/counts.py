"""Platelet counts, and which of them are of no use: rule-semantics, section "Response".

Not usable: clumped or not in blood; within 7 days after a platelet transfusion; within 28 days after the last dose of
IVIG, anti-D, a steroid pulse, or a steroid started or raised; while a TPO-receptor agonist or vincristine that was
started after sirolimus is given, and 56 days after; after rituximab or splenectomy during the course.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tests.oracle.codes import IMMUNOGLOBULINS, PLATELETS, RITUXIMAB, STEROIDS, STIMULATORS
from tests.oracle.record import Record, When

TRANSFUSION_WASHOUT, RESCUE_WASHOUT, STIMULATOR_WASHOUT = 7, 28, 56  # rule-semantics, Response


@dataclass(frozen=True)
class Count:
    """A platelet count, and why it is of no use, if it is."""

    when: When
    value: Decimal
    why: str
    printed: str

    @property
    def day(self) -> date:
        """The day of the draw."""
        return self.when.day


def number(value: Decimal) -> str:
    """A number as cards print it: at most three decimals, no zeros at the end."""
    text = f"{value.quantize(Decimal('0.001'), ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def stamp(when: When) -> str:
    """A date as cards print it, with the time where there is one."""
    return when.day.isoformat() if when.at is None else when.at.strftime("%Y-%m-%d %H:%M")


def _steroid_spans(record: Record, start: date) -> list[tuple[date, date, bool]]:
    """Days on which a steroid that was started or raised confounds: (first, last, only before the start).

    "Within 28 days after the last dose of ... a steroid pulse, or a systemic steroid started or raised"; "treatment
    stable from before the start does not confound".
    """
    orders = sorted((o for o in record.orders if o.code in STEROIDS and not o.draft), key=lambda o: o.start)
    spans = []
    for code in {o.code for o in orders}:
        own = [o for o in orders if o.code == code]
        for order in own:
            before = [o for o in own if o is not order and o.start < order.start and o.end and o.end >= order.start]
            raised = not before or (order.dose and before[-1].dose and order.dose.mean > before[-1].dose.mean)
            if not raised:
                continue
            last = order.end
            for o in own:  # treatment goes on without a gap
                if last is not None and o.start <= last and o.start > order.start:
                    last = o.end
            washout = timedelta(days=RESCUE_WASHOUT)
            short = last is not None and (last - order.start).days <= RESCUE_WASHOUT
            if order.start >= start or short:
                spans.append((order.start, (last or record.today) + washout, False))
            else:
                spans.append((order.start, order.start + washout, True))
    return spans


def _for_good(record: Record, count: date, start: date) -> bool:
    """Whether rituximab or splenectomy during the course explains this count and all that follow."""
    events = [o.start for o in record.orders if o.code in RITUXIMAB and not o.draft] + record.splenectomies
    events += [w.day for code, w in record.given if code in RITUXIMAB]
    return any(start <= day <= count for day in events)


def _confounded(record: Record, count: date, start: date) -> bool:
    """Whether another treatment explains the count. Day 28 is not usable, day 29 is."""
    if any(0 <= (count - t.day).days <= TRANSFUSION_WASHOUT for t in record.transfusions):
        return True
    gifts = [(o.start, o.end or o.start) for o in record.orders if o.code in IMMUNOGLOBULINS and not o.draft]
    gifts += [(w.day, w.day) for code, w in record.given if code in IMMUNOGLOBULINS]
    if any(first <= count <= last + timedelta(days=RESCUE_WASHOUT) for first, last in gifts):
        return True
    if any(a <= count <= b and (not only or count <= start) for a, b, only in _steroid_spans(record, start)):
        return True
    stimulated = [(o.start, o.end) for o in record.orders if o.code in STIMULATORS and not o.draft]
    stimulated += [(w.day, w.day) for code, w in record.given if code in STIMULATORS]
    for first, last in stimulated:
        if first >= start and first <= count <= (last or record.today) + timedelta(days=STIMULATOR_WASHOUT):
            return True
    return False


def read_counts(record: Record, start: date) -> list[Count]:
    """Every count, oldest first. One sample reported twice is one; of two on one day without times, the lower."""
    made: list[Count] = []
    for v in record.values:
        if v.code not in PLATELETS or v.status == "preliminary":
            continue
        why = ""
        if PLATELETS[v.code] == "rejected":
            why = "wrong_specimen"
        elif any(c == v.when or (c.day == v.when.day and (c.at is None or v.when.at is None)) for c in record.clumps):
            why = "clumped"
        elif _for_good(record, v.when.day, start):
            why = "confounded for good"
        elif _confounded(record, v.when.day, start):
            why = "confounded"
        count = Count(v.when, v.value, why, f"{v.comparator}{number(v.value)}")
        if count not in made:
            made.append(count)
    days: dict[date, list[Count]] = {}
    for count in made:
        days.setdefault(count.day, []).append(count)
    kept: list[Count] = []
    for _, same in sorted(days.items()):
        good = [c for c in same if not c.why]
        if len(same) > 1 and any(c.when.at is None for c in same):
            kept += [min(reversed(good or same), key=lambda c: c.value)]
        else:
            kept += sorted(same, key=lambda c: c.when.at or record.now)
    return kept
