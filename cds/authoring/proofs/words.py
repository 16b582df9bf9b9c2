"""A region in the words of the rule language: 'trough from 5 to under 6 ng/mL, in_response is false'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from cds.authoring.proofs.regions import Box, Space
from cds.compiled.bound import Bound
from cds.vocabulary import VOCABULARY


def joined(region: Sequence[Box], space: Space) -> list[Box]:
    """The same region in fewer boxes: two that differ in one fact alone become one."""
    boxes = [dict(box) for box in region]
    at = 0
    while at < len(boxes):
        for other in range(at + 1, len(boxes)):
            one = _one(boxes[at], boxes[other], space)
            if one is not None:
                del boxes[other]
                boxes[at], at = one, -1
                break
        at += 1
    return list(boxes)


def _one(a: Box, b: Box, space: Space) -> dict[str, frozenset[int]] | None:
    """The union of two boxes as one box; None if that would cover more than both."""
    differ = [fact for fact in a.keys() | b.keys() if space.allowed(a, fact) != space.allowed(b, fact)]
    if len(differ) > 1:
        return None
    together = {fact: space.allowed(a, fact) | space.allowed(b, fact) for fact in a.keys() & b.keys()}
    return {fact: cells for fact, cells in together.items() if cells != space.everything(fact)}


def in_words(box: Box, space: Space) -> str:
    """A box; facts that may be anything are not named."""
    said = [
        _fact(fact, cells, space) for fact, cells in sorted(box.items()) if fact in VOCABULARY and fact != "ordering"
    ]
    return ", ".join(said) or "always"


def _fact(fact: str, cells: frozenset[int], space: Space) -> str:
    known = sorted(cells - {0})
    if not known:
        return f"{fact} is absent"
    parts = (
        [f"{fact} is present"] if len(known) == len(space.everything(fact)) - 1 else list(_known(fact, known, space))
    )
    return " or ".join([*parts, *(["not known"] if 0 in cells else [])])


def _known(fact: str, cells: Sequence[int], space: Space) -> Iterator[str]:
    entry = VOCABULARY[fact]
    values = [space.value(fact, cell) for cell in cells]
    if entry.type != "number":
        words = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
        yield f"{fact} is present" if entry.type in ("names", "text") else f"{fact} is {' or '.join(words)}"
        return
    numbers = [value for value in values if isinstance(value, Decimal)]
    runs = " or ".join(_runs(numbers, space.exact(fact), space.numbers(fact)))
    bounds = sorted({str(value) for value in values if isinstance(value, Bound)})
    if runs:
        yield f"{fact} {runs} {entry.unit}"
    elif bounds:
        yield f"{fact} reported only as a bound such as {bounds[0]} {entry.unit}"


def _runs(numbers: Sequence[Decimal], every: Sequence[Decimal], limits: Sequence[Decimal]) -> Iterator[str]:
    """Adjacent numbers in ``every`` as one interval; ``limits`` are the numbers that a fact is compared with."""
    places = [every.index(number) for number in sorted(numbers)]
    start = 0
    for end in range(len(places)):
        if end + 1 == len(places) or places[end + 1] != places[end] + 1:
            yield _interval(places[start], places[end], limits)
            start = end + 1


def _interval(first: int, last: int, limits: Sequence[Decimal]) -> str:
    """The cells alternate: the numbers below a limit, then the limit itself; the last cell is what lies above the last limit."""
    if first == last and first % 2:
        return str(limits[first // 2])
    low = "" if not first else f">= {limits[first // 2]}" if first % 2 else f"> {limits[first // 2 - 1]}"
    top = "" if last == 2 * len(limits) else f"<= {limits[last // 2]}" if last % 2 else f"< {limits[last // 2]}"
    return " and ".join(filter(None, (low, top)))
