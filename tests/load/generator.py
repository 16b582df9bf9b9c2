"""An open-loop client: calls are sent when they are due, whether or not earlier ones were answered."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

_LIMIT = 10.0
"""Seconds after which a call counts as lost."""


@dataclass
class Seen:
    """What a run saw: waits in seconds from the moment a call was due, by status; 0 for a call that was lost."""

    waits: dict[int, list[float]] = field(default_factory=dict)
    late: float = 0.0  # by how much the generator itself fell behind, at worst

    def of(self, status: int) -> list[float]:
        return sorted(self.waits.get(status, []))

    def percentile(self, share: float, status: int = 200) -> float:
        """Milliseconds."""
        waits = self.of(status)
        return waits[min(len(waits) - 1, int(share * len(waits)))] * 1000 if waits else float("nan")

    def counts(self) -> dict[int, int]:
        return {status: len(waits) for status, waits in sorted(self.waits.items())}


class Pool:
    """Kept connections to one port; a new one where none is free."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, message: bytes) -> int:
        """The status."""
        reader, writer = self.free.pop() if self.free else await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        self.free.append((reader, writer))
        return int(head[9:12])


async def send(port: int, messages: Sequence[bytes], rate: float, seed: int = 1, patience: float = _LIMIT) -> Seen:
    """Every message once, at ``rate`` a second with the gaps of chance; a call counts as lost after ``patience`` seconds."""
    chance, pool, seen = random.Random(seed), Pool(port), Seen()

    async def one(message: bytes, due: float) -> None:
        try:
            status = await asyncio.wait_for(pool.post(message), patience)
        except (OSError, EOFError, TimeoutError):
            status = 0
        seen.waits.setdefault(status, []).append(time.perf_counter() - due)

    due, under_way = time.perf_counter(), set[asyncio.Task[None]]()
    for message in messages:
        due += chance.expovariate(rate)
        if (ahead := due - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        seen.late = max(seen.late, time.perf_counter() - due)
        task = asyncio.create_task(one(message, due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    for _, writer in pool.free:
        writer.close()
    return seen
