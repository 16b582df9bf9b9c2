"""``python -m tests.bench``: ratios of one run, in CPU seconds, after the answers were checked."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.dense import measure_dense
from tests.bench.large import measure_large
from tests.bench.patients import JUDGED_ON, SEED, Sample, samples
from tests.bench.server import measure_servers
from tests.judge import now_on

ROUNDS = 5


def cpu_of_each(work: Callable[[bytes], Any], bodies: list[bytes]) -> list[float]:
    """CPU seconds of each body, best of the rounds."""
    best = [float("inf")] * len(bodies)
    for _ in range(ROUNDS):
        for index, body in enumerate(bodies):
            begun = time.process_time_ns()
            work(body)
            best[index] = min(best[index], (time.process_time_ns() - begun) / 1e9)
    return best


def floor(kind: str, folder: Path) -> float:
    """CPU seconds of all bodies in a process of its own, as it comes."""
    code = (
        "import sys,time,pathlib;"
        + (
            "import orjson;f=orjson.loads;"
            if kind == "orjson"
            else "from cds.chart.wire import message_decoder;f=message_decoder.decode;"
        )
        + "b=[p.read_bytes() for p in sorted(pathlib.Path(sys.argv[1]).iterdir())];best=9e9\n"
        f"for _ in range({ROUNDS}):\n s=time.process_time()\n for x in b: f(x)\n best=min(best,time.process_time()-s)\nprint(best)"
    )
    return float(
        subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True).stdout
    )


def check(engine: Any, patients: list[Sample]) -> None:
    """No figure before every answer is right."""
    from cds.advise import advise
    from cds.chart.request import read_request

    for body, sample in ((b, s) for s in patients for b in (s.body, s.request)):
        cards = advise(read_request(body), engine, now_on(JUDGED_ON), max_cards=99).cards
        got = {card["source"]["topic"]["code"] for card in cards}
        if got != sample.topics:
            raise SystemExit(f"wrong answer: {sorted(got)} instead of {sorted(sample.topics)}")


def cold_start(patients: list[Sample]) -> float:
    """Wall seconds from nothing to cards on the command line, cache warm; median of 9."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(patients[1].body)
        file.flush()
        command = [str(Path(sys.executable).parent / "sirolimus-cds"), "evaluate", "--at", "2024-04-17", file.name]
        times = []
        for _ in range(10):
            begun = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            times.append(time.perf_counter() - begun)
    return statistics.median(times[1:])


def engine_alone(engine: Any, patients: list[Sample]) -> float:
    """Microseconds of both engines over the facts of every patient."""
    from cds.chart.read import read_chart
    from cds.chart.request import read_request
    from cds.facts import read_facts

    now = now_on(JUDGED_ON)
    records = [
        read_facts(
            read_chart(read_request(s.body), engine.knowledge, now), engine.knowledge, "patient-view", now
        ).facts.compared
        for s in patients
    ]
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for record in records:
            engine.holding(record, "patient-view")
        best = min(best, time.process_time() - begun)
    return best / len(records) * 1e6


def main() -> None:
    import msgspec

    from cds.advise import advise
    from cds.chart.request import read_request
    from cds.engine import CheckedEngine
    from cds.hooks.judging import settle_memory
    from cds.knowledge.load import load

    patients = samples()
    bodies = [sample.body for sample in patients]
    engine = CheckedEngine(load())
    check(engine, patients)
    mean = sum(map(len, bodies)) / len(bodies) / 1000
    print(
        f"{len(patients)} patients, seed {SEED}, {mean:.0f} kB on average; all answers equal to the plain computation"
    )
    encode = msgspec.json.Encoder(decimal_format="number").encode
    now = now_on(JUDGED_ON)

    with tempfile.TemporaryDirectory() as name:
        for index, body in enumerate(bodies):
            (Path(name) / f"{index:04d}").write_bytes(body)
        loads, typed = floor("orjson", Path(name)), floor("typed", Path(name))
        settle_memory()
        plain = cpu_of_each(lambda body: encode(advise(read_request(body), engine, now).cards), bodies)
        explained = cpu_of_each(
            lambda body: encode(advise(read_request(body), engine, now, explain=True).cards), bodies
        )
        gc.unfreeze()
    total, with_explanations = sum(plain), sum(explained)
    ordered = sorted(plain)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    print(f"bytes to cards                 {total / len(bodies) * 1e6:8.0f} us CPU a patient")
    print(
        f"  against orjson.loads         {loads / total:8.2f} x   (goal 0.80; orjson {loads / len(bodies) * 1e6:.0f} us)"
    )
    print(f"  against a typed decode       {typed / total:8.2f} x   (typed decode {typed / len(bodies) * 1e6:.0f} us)")
    print(f"explanations on / off          {with_explanations / total:8.2f} x   (goal at most 1.25)")
    print(f"p99 / p50                      {p99 / p50:8.2f} x   (goal at most 3)")
    print(f"both engines alone             {engine_alone(engine, patients):8.0f} us CPU a patient")
    print(f"cold start to cards            {cold_start(patients):8.2f} s   (goal at most 0.3, cache warm)")
    for line in measure_dense(engine):
        print(line)
    for line in measure_large():
        print(line)
    for line in measure_servers([sample.request for sample in patients]):
        print(line)


if __name__ == "__main__":
    os.environ.setdefault("XDG_CACHE_HOME", tempfile.mkdtemp())
    main()
