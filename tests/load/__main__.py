"""``python -m tests.load [HOW_MANY_FOR_MEMORY]``: what a call costs, what is held, what too much does, and memory.

Our service as a user starts it: two workers, a token of its own for each call, the store of used tokens. In the same run a server that
parses, verifies and answers no card is the measure of this machine. Seven of eight patients take sirolimus; in a hospital nearly no one does,
so that calls for those who do not are measured alone, too. Latency counts from the moment at which a call was due; health is
asked all the while by another process. Figures, no judgement.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.bench.dense import KINDS, body_of, items_of
from tests.bench.floor import command
from tests.bench.patients import samples
from tests.hooks.fhir_server import serving
from tests.hooks.process import Running, started
from tests.load.calls import LONG, OURS, SLOW_TURNS, check_cost, hanging, messages, settings_file
from tests.load.generator import Seen, send
from tests.load.health import watched

_SECONDS, _WORKERS = 10, 2
_RATES = 300, 600
_HANGING = 64


def cost(running: Running, sent: list[bytes]) -> float:
    """CPU milliseconds of the server a call, at a rate that it bears."""
    begun = running.cpu()
    seen = asyncio.run(send(running.port, sent, 100))
    assert len(seen.of(200)) > 0.99 * len(sent), seen.counts()
    return (running.cpu() - begun) / len(sent) * 1000


def line(name: str, seen: Seen) -> str:
    p50, p99 = seen.percentile(0.5), seen.percentile(0.99)
    return f"  {name:34} {seen.counts()}  p50 {p50:.1f} ms, p99 {p99:.1f} ms (generator late by {seen.late * 1000:.0f} ms at worst)"


def at_rate(name: str, running: Running, bodies: list[bytes], rate: float) -> None:
    """So many calls a second for some seconds, and health beside them."""
    sent = messages(bodies, int(rate * _SECONDS), True)
    with watched(running.port) as health:
        seen = asyncio.run(send(running.port, sent, rate))
    print(line(f"{rate:.0f}/s, {name}", seen))
    refused = f"refused waited p99 {seen.percentile(0.99, 503):.1f} ms, " if seen.of(503) else ""
    print(f"    {refused}/livez at worst {health[-1]:.0f} ms; generator's own CPU is in these waits", flush=True)


def dense(running: Running, bodies: list[bytes]) -> None:
    """Ten bodies of 2 MB at once, each of another kind, while others make their calls."""
    large = [body_of(kind, items_of(kind, 2_000_000)) for kind in list(KINDS)[:10]]

    async def both() -> tuple[Seen, Seen]:
        return await asyncio.gather(
            send(running.port, messages(large, len(large), True), 1000, patience=60),
            send(running.port, messages(bodies, 100 * _SECONDS, True), 100),
        )

    with watched(running.port) as health:
        heavy, others = asyncio.run(both())
    print(line("ten dense bodies of 2 MB", heavy))
    print(line("100/s meanwhile", others))
    print(f"    /livez at worst {health[-1]:.0f} ms", flush=True)


def call_backs(running: Running, bodies: list[bytes], server: str) -> None:
    """Others' calls while so many wait for a FHIR server that does not answer."""
    for what, waiting in (("alone", 0), (f"beside {_HANGING} hanging call-backs", _HANGING)):

        async def both(waiting: int = waiting) -> Seen:
            hung = asyncio.create_task(send(running.port, hanging(server, waiting), 10_000))
            await asyncio.sleep(0.2)
            seen = await send(running.port, messages(bodies, 240, True), 200)
            await hung
            return seen

        print(line(f"200/s, {what}", asyncio.run(both())), flush=True)


def memory(bodies: list[bytes], how_many: int) -> None:
    """What one worker holds after more and more varied calls."""
    with started(command=OURS) as ours:
        varied = messages(bodies, 2000, False) + [each[:-40] + b"x" * 40 for each in messages(bodies, 100, False)]
        asyncio.run(send(ours.port, varied * 5, 400))
        warm, sent = ours.resident(), 0
        while sent < how_many:
            asyncio.run(send(ours.port, varied * 5, 400, seed=sent))
            sent += len(varied) * 5
            print(f"  {sent} varied calls, a twentieth malformed: {warm:.1f} -> {ours.resident():.1f} MB", flush=True)


def main(for_memory: int) -> None:
    """All figures."""
    bodies = [sample.request for sample in samples()]
    others = [sample.request for sample in samples() if not sample.topics]
    print(f"{len(bodies)} patients, {sum(map(len, bodies)) / len(bodies) / 1000:.0f} kB a call, {_WORKERS} workers")
    with tempfile.TemporaryDirectory() as folder, serving([]) as stub:
        stub.fault = dict.fromkeys(("Observation", "Patient", "Condition", "MedicationRequest"), "hang")
        turns = Path(folder) / "turns"
        os.environ[SLOW_TURNS] = str(turns)
        settings = {"config": settings_file(Path(folder), stub.base), "workers": _WORKERS}
        floor = command(Path(folder) / "keys.json", _WORKERS)
        with started(code=floor, ready="/livez") as empty, started(settings, command=OURS) as ours:
            least, signed = cost(empty, messages(bodies, 2000, True)), cost(ours, messages(bodies, 2000, True))
            check = check_cost()
            print(
                f"CPU a call: {signed:.2f} ms; parse and verify {least:.2f} ms ({least / signed:.2f} x); the signature {check:.2f} ms"
            )
            print(f"CPU a call for a patient without sirolimus: {cost(ours, messages(others, 2000, True)):.2f} ms")
            for rate in _RATES:
                at_rate("parse and verify", empty, bodies, rate)
                at_rate("ours", ours, bodies, rate)
                at_rate("ours, patients without sirolimus", ours, others, rate)
            dense(ours, bodies)
            call_backs(ours, bodies, stub.base)
        noted = turns.read_text().splitlines() if turns.exists() else []
        print(
            f"turns of the loops over {LONG * 1000:.0f} ms, in brackets the processor's: {len(noted)}",
            *noted[:20],
            sep="\n    ",
        )
    del os.environ[SLOW_TURNS]
    memory(bodies, for_memory)


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["20000"])[0]))
