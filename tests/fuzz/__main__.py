"""``python -m tests.fuzz [HOW_MANY] [SEED]``: malformed requests over sockets, against the service as a user starts it.

What counts as a fault: a status that is neither 200 nor one of the 4xx that are documented, an answer that breaks the
models, a card that says the rules failed, more than two seconds, a connection that ends without an answer, and any line
in the log beyond the one of each call. The bodies are written to ``fuzz-findings``; one that is mended moves to
``tests/hooks/corpus``, which every test run replays.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import sys
from collections import Counter
from pathlib import Path

from tests.fuzz.attack import attack
from tests.hooks.process import started

FINDINGS = Path("fuzz-findings")


def main(count: int, seed: int) -> int:
    """How many faults there were."""
    parts = multiprocessing.cpu_count()
    with started() as running, multiprocessing.get_context("spawn").Pool(parts) as pool:
        work = [(running.port, count // parts, seed + part) for part in range(parts)]
        results = pool.starmap(attack, work)
        strange = Counter(line["event"] for line in running.logged() if line["event"] != "answered")
    seen: Counter[int] = sum((result[0] for result in results), Counter())
    faults = [fault for result in results for fault in result[1]]
    print(f"{seen.total()} answers: {dict(sorted(seen.items()))}; the longest took {max(r[2] for r in results):.2f} s")
    for what, body in faults[:200]:
        FINDINGS.mkdir(exist_ok=True)
        (FINDINGS / f"{hashlib.sha256(body).hexdigest()[:12]}.json").write_bytes(body)
        print(f"fault: {what}, {len(body)} bytes")
    for event, times in strange.items():
        print(f"in the log, {times} times: {event}")
    print(f"{len(faults)} faults, {strange.total()} strange lines in the log")
    return len(faults) + strange.total()


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    sys.exit(1 if main(*(given + [100_000, 1][len(given) :])) else 0)
