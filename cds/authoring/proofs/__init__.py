"""What the rules can never do, proved over the cells of their facts, not sampled: see :mod:`cds.authoring.proofs.regions`.

Each property has a module of its own, and `all_properties` is the list. In addition to the rules, the proofs rest on invariants of
the facts, which property tests check on random charts.
"""

from __future__ import annotations

from collections.abc import Sequence

from cds.authoring.proofs.both_ways import never_both_ways
from cds.authoring.proofs.classes import every_level_has_one_class
from cds.authoring.proofs.found import Property
from cds.authoring.proofs.levels import higher_is_never_less
from cds.authoring.proofs.unreadable import nothing_critical_is_silenced_unsaid
from cds.authoring.proofs.urgency import giving_way_loses_no_urgency
from cds.compiled.knowledge import Knowledge


def all_properties(every: Sequence[Knowledge]) -> list[Property]:
    """P1 to P5, under the protocol of each of ``every``."""
    return [
        never_both_ways(every),
        higher_is_never_less(every),
        every_level_has_one_class(every),
        nothing_critical_is_silenced_unsaid(every),
        giving_way_loses_no_urgency(every),
    ]
