"""Platelet counts, and which of them are of no use: rule-semantics, section "Response".

Not usable: clumped or not in blood; within 7 days after a platelet transfusion; within 28 days after the last dose of
IVIG, anti-D, a steroid pulse, or a steroid started or raised; while a treatment that raises counts and was started or
raised since the start of sirolimus is given, and for its washout; after rituximab or splenectomy during the course.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tests.oracle import readings
from tests.oracle.codes import (
    CICLOSPORIN,
    DANAZOL,
    FCRN,
    IMMUNOGLOBULINS,
    IMMUNOSUPPRESSANTS,
    MTOR_INHIBITORS,
    PLATELETS,
    RHTPO,
    RITUXIMAB,
    STEROIDS,
    STIMULATORS,
    SYK_AND_BTK,
    TACROLIMUS,
    VINCRISTINE,
)
from tests.oracle.record import Order, Record, When

TRANSFUSION_WASHOUT, RESCUE_WASHOUT = 7, 28  # rule-semantics, Response
RAISES = [  # "the list is data with its washout each"
    (56, STIMULATORS | VINCRISTINE | FCRN),
    (28, RHTPO | SYK_AND_BTK),
    (84, DANAZOL | {"3108": "dapsone"} | IMMUNOSUPPRESSANTS | CICLOSPORIN | TACROLIMUS),
]
if readings.MTOR_INHIBITOR_IS_A_SECOND:
    RAISES.append((84, MTOR_INHIBITORS))

Rescue = tuple[str, date]


@dataclass(frozen=True)
class Span:
    """Days on which another treatment explains the count; ``until`` is the last of them."""

    kind: str
    first: date
    until: date


@dataclass(frozen=True)
class Count:
    """A platelet count, why it is of no use, if it is, and the treatments that explain it."""

    when: When
    value: Decimal
    why: str
    printed: str
    comparator: str = ""
    rescues: tuple[Rescue, ...] = ()

    @property
    def day(self) -> date:
        """The day of the draw."""
        return self.when.day


def number(value: Decimal) -> str:
    """A number with at most three decimals, and no zeros at the end."""
    text = f"{value.quantize(Decimal('0.001'), ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _steroid_spans(record: Record, start: date, known: bool) -> list[Span]:
    """Days on which a steroid that was started or raised confounds; of one from before the start, days before it.

    "Within 28 days after the last dose of ... a steroid pulse, or a systemic steroid started or raised"; "treatment
    stable from before the start does not confound". Where there is no course (``known``), nobody can tell which it is:
    one that goes on explains no low count.
    """
    orders = sorted((o for o in record.orders if o.code in STEROIDS and not o.draft), key=lambda o: o.start)
    spans = []
    for code in {o.code for o in orders}:
        own = [o for o in orders if o.code == code]
        for order in own:
            before = [
                o for o in own if o is not order and o.start < order.start and (o.end is None or o.end >= order.start)
            ]
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
                spans.append(Span(f"steroid {code}", order.start, (last or record.today) + washout))
            elif known:
                spans.append(Span(f"steroid {code}", order.start, min(order.start + washout, start)))
    return spans


def _raising_spans(record: Record, start: date) -> list[Span]:
    """Treatments "started or raised since the start of sirolimus" that raise counts, each with its washout."""
    spans = []
    for days, drugs in RAISES:
        for name in sorted(set(drugs.values())):
            codes = {code for code, each in drugs.items() if each == name}
            own = [o for o in record.orders + record.stated if o.code in codes and not o.draft]
            for order in sorted(own, key=lambda o: o.start):
                if order.start >= start and _begun(order, own):
                    last = _end_of_treatment(order, own) or record.today
                    spans.append(Span(name, order.start, last + timedelta(days=days)))
            given = [w.day for code, w in record.given if code in codes and w.day >= start]
            spans += [Span(name, day, day + timedelta(days=days)) for day in given]
    return spans


def _begun(order: Order, own: list[Order]) -> bool:
    """Whether an order begins a treatment, or raises its dose."""
    before = [o for o in own if o.start < order.start and (o.end is None or o.end >= order.start)]
    if not before:
        return True
    last = max(before, key=lambda o: o.start)
    return bool(order.dose and last.dose and order.dose.mean > last.dose.mean)


def _end_of_treatment(order: Order, own: list[Order]) -> date | None:
    """The day on which a treatment ended, over orders that meet; None while it goes on."""
    last = order.end
    for o in sorted(own, key=lambda o: o.start):
        if last is not None and order.start < o.start <= last:
            last = None if o.end is None else max(last, o.end)
    return last


def _spans(record: Record, start: date, known: bool) -> list[Span]:
    """Everything that explains a count for some days. Day 28 is not usable, day 29 is."""
    spans = [
        Span("transfusion", t.day, t.day + timedelta(days=TRANSFUSION_WASHOUT)) for t in record.transfusions
    ]  # fmt: skip
    gifts = [(o.start, o.end or o.start) for o in record.orders if o.code in IMMUNOGLOBULINS and not o.draft]
    gifts += [(w.day, w.day) for code, w in record.given if code in IMMUNOGLOBULINS]
    spans += [Span("immunoglobulin", first, last + timedelta(days=RESCUE_WASHOUT)) for first, last in gifts]
    return spans + _steroid_spans(record, start, known) + _raising_spans(record, start)


def _merged(spans: list[Span]) -> list[Span]:
    """Spans of one kind that overlap are one rescue."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.kind, s.first)):
        if kept and kept[-1].kind == span.kind and span.first <= kept[-1].until:
            kept[-1] = Span(span.kind, kept[-1].first, max(kept[-1].until, span.until))
        else:
            kept.append(span)
    return kept


def for_good(record: Record, count: date, start: date) -> bool:
    """Whether rituximab or splenectomy during the course explains this count and all that follow."""
    events = [o.start for o in record.orders if o.code in RITUXIMAB and not o.draft] + record.splenectomies
    events += [w.day for code, w in record.given if code in RITUXIMAB]
    return any(start <= day <= count for day in events)


def read_counts(record: Record, start: date, known: bool = True) -> list[Count]:
    """Every count, oldest first. One sample reported twice is one; of two on one day without times, the lower."""
    spans = _merged(_spans(record, start, known))
    made: list[Count] = []
    for v in record.values:
        if v.code not in PLATELETS or v.status == "preliminary":
            continue
        why = ""
        explained = tuple((s.kind, s.first) for s in spans if s.first <= v.when.day <= s.until)
        if PLATELETS[v.code] == "rejected":
            why = "wrong_specimen"
        elif any(c == v.when or (c.day == v.when.day and (c.at is None or v.when.at is None)) for c in record.clumps):
            why = "clumped"
        elif for_good(record, v.when.day, start):
            why = "confounded for good"
        elif explained:
            why = "confounded"
        count = Count(v.when, v.value, why, f"{v.comparator}{number(v.value)}", v.comparator, explained)
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
