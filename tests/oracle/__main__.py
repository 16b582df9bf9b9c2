"""The two readings on 20,000 charts: ``make oracle``. How many differ, in which rules, and some of the charts."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from random import Random

from cds.engine import CheckedEngine
from cds.knowledge.read import read_folder
from tests.conftest import RULES
from tests.oracle.charts import chart
from tests.oracle.oracle import COVERED, expected
from tests.oracle.test_oracle import said
from tests.recoded import Recoder

MANY = 20_000
SHOWN = 5


def main(many: int) -> None:
    """Print what differs, the most frequent first."""
    knowledge = read_folder(RULES).knowledge
    assert knowledge is not None
    engine, differ, seeds = CheckedEngine(knowledge), 0, defaultdict(list)
    recoder = Recoder(knowledge)
    for seed in range(many):
        body, now = chart(seed)
        coded = recoder.recoded(body, Random(seed)) if seed % 2 else body
        oracle, ours = expected(body, now), said(engine, coded, now)
        wrong = [rule for rule in COVERED if oracle.get(rule) != ours.get(rule)]
        differ += bool(wrong)
        for rule in wrong:
            seeds[rule, _said(oracle.get(rule)), _said(ours.get(rule))].append(seed)
    print(f"{differ} of {many} charts differ")
    for (rule, oracle_said, ours_said), found in sorted(seeds.items(), key=lambda item: -len(item[1])):
        print(f"{len(found):5} {rule}: oracle {oracle_said}, ours {ours_said}; charts {found[:SHOWN]}")


def _said(card: tuple[str, str, frozenset[str]] | None) -> str:
    """A card in a line; of an order that is left out not which one."""
    if card is None:
        return "silent"
    offers = sorted({re.sub(r"(remove|dose) .*", r"\1", each) for each in card[2]})
    return " ".join(filter(None, (card[0], card[1], f"[{', '.join(offers)}]")))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY)
