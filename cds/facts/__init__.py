"""What is true now: one flat record of facts from a chart.

Facts compute, rules compare. Everything with a date or an arithmetic step is decided here, with the
constants cited in ``rules/definitions.yaml`` and the protocol; nothing here knows a protocol's name.
"""

from cds.facts.read import read_facts
from cds.facts.record import Facts, Named

__all__ = ["Facts", "Named", "read_facts"]
