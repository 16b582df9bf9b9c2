"""The two readings on 20,000 charts: ``make oracle``. How many differ, in which rules, and some of the charts."""

from __future__ import annotations

import sys
from collections import defaultdict

from cds.engine import Engine
from cds.knowledge.read import read_folder
from tests.conftest import RULES
from tests.oracle.charts import chart
from tests.oracle.oracle import COVERED, expected
from tests.oracle.test_oracle import said

MANY = 20_000
SHOWN = 5


def main(many: int) -> None:
    """Print what differs, the most frequent first."""
    knowledge = read_folder(RULES).knowledge
    assert knowledge is not None
    engine, differ, seeds = Engine(knowledge), 0, defaultdict(list)
    for seed in range(many):
        body, now = chart(seed)
        oracle, ours = expected(body, now), said(engine, body, now)
        wrong = [rule for rule in COVERED if oracle.get(rule) != ours.get(rule)]
        differ += bool(wrong)
        for rule in wrong:
            seeds[rule, str(oracle.get(rule)), str(ours.get(rule))].append(seed)
    print(f"{differ} of {many} charts differ")
    for (rule, oracle_said, ours_said), found in sorted(seeds.items(), key=lambda item: -len(item[1])):
        print(f"{len(found):5} {rule}: oracle {oracle_said}, ours {ours_said}; charts {found[:SHOWN]}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY)
