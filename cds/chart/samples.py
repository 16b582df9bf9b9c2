"""One result for each sample: a correction replaces the first version, and a sample reported twice counts once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from cds.chart.model import Lab
from cds.chart.times import parse_moment

_COARSE = Decimal("0.1")
_TOLERANCE = Decimal("0.01")  # one value in two units differs by its rounding
_RANKS = {"preliminary": 0, "final": 1, "amended": 2, "corrected": 2}
_CORRECTED = 2
_LATEST = datetime.max.replace(tzinfo=UTC)
_SAME_SAMPLE = 2
"""Days within which a correction may move the time of collection."""
_MOST = 20
"""The most corrections of one identifier that are compared; with more, it identifies something other than a sample."""


def distinct(labs: Sequence[Lab], worse: bool = False) -> list[Lab]:
    """Readable results, newest first, one for each sample.

    A result from a wrong specimen is never kept together with one from the right specimen. Two results of
    one instant that differ, neither of them a correction, are both left out; with ``worse``, the worse is kept.
    """
    samples: dict[tuple[object, ...], list[Lab]] = {}
    for lab in not_corrected(labs):
        if lab.moment is not None and lab.amount is not None:
            samples.setdefault(_sample(lab), []).append(lab)
    found = [one for several in samples.values() if (one := _one_of(several) or (_worst(several) if worse else None))]
    untimed = {lab.moment.day for lab in found if lab.moment is not None and lab.moment.at is None}
    return sorted(found, key=lambda lab: _newness(lab, untimed), reverse=True)


def _newness(lab: Lab, untimed: set[date]) -> tuple[object, ...]:
    """Sort key by time; on a day on which a result has no time, the order is unknown, and the worse result comes first."""
    assert lab.moment is not None and lab.amount is not None
    worse = -lab.amount.value if lab.lower_is_worse else lab.amount.value
    if lab.moment.day in untimed:
        return lab.moment.day, _LATEST, worse, lab.reference
    return *lab.moment.sort_key(), worse, lab.reference


def _worst(several: Sequence[Lab]) -> Lab:
    """The worst of the most final results of one sample that differ, so that a possible harm is not missed."""
    right = [lab for lab in several if not lab.wrong_specimen] or list(several)
    rank = max(_RANKS.get(lab.status, 0) for lab in right)
    final = _last_issued([lab for lab in right if _RANKS.get(lab.status, 0) == rank and lab.amount is not None])
    return max(final, key=_badness)


def _badness(lab: Lab) -> tuple[Decimal, str]:
    assert lab.amount is not None
    return (-lab.amount.value if lab.lower_is_worse else lab.amount.value), lab.reference


def _sample(lab: Lab) -> tuple[object, ...]:
    """The key by which two results are one sample: the same instant; without a time of day, the same day and value."""
    assert lab.moment is not None and lab.amount is not None
    if lab.moment.at is not None:
        return (lab.moment.at,)  # one instant, in whatever offset it is written
    return lab.moment.day, lab.amount.value.quantize(_COARSE), lab.amount.comparator


def not_corrected(labs: Sequence[Lab]) -> list[Lab]:
    """The results that no correction replaces; a correction is matched by instant, by day if without times, or by identifier.

    Even a correction that cannot be read replaces its first version, which is known to be wrong.
    """
    corrections = [lab for lab in labs if _is_correction(lab)]
    if not corrections:
        return list(labs)
    at_once = {lab.moment.at or lab.moment.day for lab in corrections if lab.moment is not None}
    by_identifier: dict[str, list[Lab]] = {}
    for lab in corrections:
        for identifier in lab.identifiers:
            by_identifier.setdefault(identifier, []).append(lab)

    def replaced(lab: Lab) -> bool:
        if lab.moment is not None and (lab.moment.at or lab.moment.day) in at_once:
            return True
        return any(near(lab, other) for each in lab.identifiers for other in by_identifier.get(each, ())[:_MOST])

    def corrected_again(lab: Lab) -> bool:
        """Whether another correction with the same identifier was released after this one."""
        later = (other for each in lab.identifiers for other in by_identifier.get(each, ())[:_MOST])
        return bool(lab.issued) and any(near(lab, other) and _issued(other) > _issued(lab) for other in later)

    return [
        lab
        for lab in labs
        if lab.wrong_specimen or (not corrected_again(lab) if _is_correction(lab) else not replaced(lab))
    ]


def _issued(lab: Lab) -> datetime:
    """When a result was released; before all others if that is unknown."""
    moment = parse_moment(lab.issued)
    return moment.at if moment is not None and moment.at is not None else datetime.min.replace(tzinfo=UTC)


def _last_issued(labs: Sequence[Lab]) -> list[Lab]:
    """Of several corrections of one sample, those that were released last."""
    last = max(map(_issued, labs), default=None)
    corrected = all(_is_correction(lab) for lab in labs)
    return [lab for lab in labs if _issued(lab) == last] if corrected else list(labs)


def replaced_elsewhere(labs: Sequence[Lab]) -> list[Lab]:
    """The results that a correction with another time replaces: rightly, or because two samples share an identifier."""
    kept = {id(lab) for lab in not_corrected(labs)}
    times = {lab.moment.at or lab.moment.day for lab in labs if _is_correction(lab) and lab.moment is not None}
    gone = (lab for lab in labs if id(lab) not in kept)
    return [lab for lab in gone if lab.moment is not None and (lab.moment.at or lab.moment.day) not in times]


def _is_correction(lab: Lab) -> bool:
    return _RANKS.get(lab.status) == _CORRECTED and not lab.wrong_specimen


def near(lab: Lab, correction: Lab) -> bool:
    """Whether two results with one identifier can be one sample; some systems give it to the patient, not the sample."""
    if lab.moment is None or correction.moment is None:
        return True
    return abs(lab.moment.days_to(correction.moment)) <= _SAME_SAMPLE


def _one_of(several: Sequence[Lab]) -> Lab | None:
    """The result of one sample: from the right specimen, the most final; None where such results differ."""
    if len(several) == 1:
        return several[0]
    right = [lab for lab in several if not lab.wrong_specimen] or list(several)
    rank = max(_RANKS.get(lab.status, 0) for lab in right)
    final = _last_issued([lab for lab in right if _RANKS.get(lab.status, 0) == rank])
    amounts = [lab.amount for lab in final if lab.amount is not None]
    values = [amount.value for amount in amounts]
    if len({amount.comparator for amount in amounts}) > 1 or max(values) - min(values) > _TOLERANCE * max(values):
        return None
    return min(final, key=lambda lab: (bool(lab.amount and lab.amount.printed), lab.reference))
