"""``python -m tests.load [HOW_MANY_FOR_MEMORY]``: what a call costs, what is held, what too much does, and memory.

Our service as a user starts it, one worker, tokens on; beside it in the same run a server that parses and answers an empty
list, as the measure of this machine. Latency counts from the moment at which a call was due. Figures, no judgement.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.bench.patients import JUDGED_ON, samples
from tests.bench.server import EMPTY, ours_on
from tests.hooks.process import Running, started
from tests.load.calls import check_cost, messages, settings_file
from tests.load.generator import Seen, send

_SECONDS = 10


def cost(running: Running, sent: list[bytes]) -> float:
    """CPU milliseconds of the server a call, at a rate that it bears."""
    begun = running.cpu()
    seen = asyncio.run(send(running.port, sent, 100))
    assert len(seen.of(200)) > 0.99 * len(sent), seen.counts()
    return (running.cpu() - begun) / len(sent) * 1000


def line(name: str, seen: Seen) -> str:
    p50, p99 = seen.percentile(0.5), seen.percentile(0.99)
    return f"  {name:26} {seen.counts()}  p50 {p50:.1f} ms, p99 {p99:.1f} ms (generator late by {seen.late * 1000:.0f} ms at worst)"


def overload(running: Running, bodies: list[bytes], bears: float) -> None:
    """Twice what it bears, then what it bears easily, second by second."""
    before = running.resident()
    seen = asyncio.run(send(running.port, messages(bodies, int(bears * 2 * _SECONDS), True), bears * 2))
    print(line(f"{bears * 2:.0f}/s, twice too much", seen))
    print(
        f"    refused calls waited p50 {seen.percentile(0.5, 503):.1f} ms; memory {before:.0f} -> {running.resident():.0f} MB"
    )
    for second in range(1, 6):
        after = asyncio.run(send(running.port, messages(bodies, 100, True), 100))
        print(line(f"100/s, {second} s after", after))


def main(for_memory: int) -> None:
    """All figures."""
    bodies = [sample.request for sample in samples()]
    print(f"{len(bodies)} patients, {sum(map(len, bodies)) / len(bodies) / 1000:.0f} kB a call")
    with tempfile.TemporaryDirectory() as folder:
        settings = {"config": settings_file(Path(folder))}
        with started(code=EMPTY, ready="/") as empty, started(settings, ours_on(JUDGED_ON)) as ours:
            floor, signed = cost(empty, messages(bodies, 2000, True)), cost(ours, messages(bodies, 2000, True))
            check = check_cost()
            print(f"CPU a call: {signed:.2f} ms; empty list {floor:.2f} ms; the signature alone {check:.2f} ms")
            print(f"  beyond the signature {signed - check:.2f} ms (goal 0.9)")
            for rate in (100, 300):
                print(
                    line(
                        f"{rate}/s, empty list",
                        asyncio.run(send(empty.port, messages(bodies, rate * _SECONDS, True), rate)),
                    )
                )
                print(
                    line(
                        f"{rate}/s, ours with tokens",
                        asyncio.run(send(ours.port, messages(bodies, rate * _SECONDS, True), rate)),
                    )
                )
            overload(ours, bodies, 1000 / signed)
    with started(code=ours_on(JUDGED_ON)) as ours:
        varied = messages(bodies, 2000, False) + [each[:-40] + b"x" * 40 for each in messages(bodies, 100, False)]
        asyncio.run(send(ours.port, varied * 5, 400))
        warm, sent = ours.resident(), 0
        while sent < for_memory:
            asyncio.run(send(ours.port, varied * 5, 400, seed=sent))
            sent += len(varied) * 5
            print(f"  {sent} varied calls, a twentieth spoilt: {warm:.1f} -> {ours.resident():.1f} MB", flush=True)


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["20000"])[0]))
