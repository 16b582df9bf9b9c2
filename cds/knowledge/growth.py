"""``growth.csv``: how heavy a heavy child is, the 97th percentile of weight for each completed month of age, by sex.

Data: National Center for Health Statistics, CDC Growth Charts 2000 (wtageinf.csv under two years, wtage.csv from there),
in the public domain; each row is that of the middle of the month. Source: cdc-growth-2000.
"""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from pathlib import Path

from cds.knowledge.tree import Fault

FILE = "growth.csv"
SEXES = ("male", "female")


def read_growth(path: Path, shown: str, faults: list[Fault]) -> dict[str, tuple[Decimal, ...]]:
    """The weights in kg by sex, from the month of birth on; empty if the folder has no such file."""
    found: dict[str, list[Decimal]] = {sex: [] for sex in SEXES}
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            try:
                weights = [Decimal(row[sex]) for sex in SEXES]
                if row["month"] != str(len(found["male"])) or min(weights) <= 0:
                    raise ValueError
            except (InvalidOperation, KeyError, TypeError, ValueError):
                sentence = "must be the next month of age, from 0 on, and two weights in kg: month,male,female"
                faults.append(Fault(shown, line, sentence))
                return {}
            for sex, weight in zip(SEXES, weights, strict=True):
                found[sex].append(weight)
    return {sex: tuple(weights) for sex, weights in found.items()}
