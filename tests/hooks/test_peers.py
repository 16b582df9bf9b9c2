"""FHIR servers that are called back: each apart, asked so much at once, left alone for a while when it brings nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from cds.hooks.fetch import Server
from cds.hooks.peers import Peer, Peers

BASE = Server("https://ehr.example/fhir", "")
BUNDLE = b'{"resourceType": "Bundle", "type": "searchset"}'
Answer = Callable[[httpx.Request], Awaitable[httpx.Response]]


def peer(answer: Answer, clock: Callable[[], float] = lambda: 0.0) -> Peer:
    return Peer(httpx.AsyncClient(transport=httpx.MockTransport(answer)), clock)


def bundle(content: bytes = BUNDLE) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(content), headers={"content-type": "application/fhir+json"})


def queries(number: int) -> dict[str, str]:
    return {f"q{each}": f"Observation?page={each}" for each in range(number)}


def test_thirty_calls_at_once_are_all_answered_and_the_server_is_spared() -> None:
    now = most = 0

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return bundle()

    async def calls() -> list[dict[str, bytes]]:
        one = peer(answer)
        return await asyncio.gather(*(one.fetch(BASE, queries(10), 30) for _ in range(30)))

    found = asyncio.run(calls())
    assert [len(each) for each in found] == [10] * 30
    assert 1 < most <= 24


def test_a_server_that_brings_nothing_is_left_alone_for_a_while() -> None:
    time, asked, broken = 0.0, 0, True

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if broken:
            raise httpx.ConnectError("refused")
        return bundle()

    async def calls() -> None:
        nonlocal time, broken
        one = peer(answer, lambda: time)
        for _ in range(9):
            assert await one.fetch(BASE, queries(1), 30) == {}
        assert asked == 5  # and was not asked again
        time = 10.0
        assert await one.fetch(BASE, queries(1), 30) == {} and asked == 6
        assert await one.fetch(BASE, queries(1), 30) == {} and asked == 6  # one failure was enough this time
        time, broken = 20.0, False
        assert len(await one.fetch(BASE, queries(3), 30)) == 3
        assert len(await one.fetch(BASE, queries(3), 30)) == 3

    asyncio.run(calls())


def test_all_answers_of_a_call_together_are_bounded() -> None:
    large = BUNDLE + b" " * 3_900_000

    async def answer(_: httpx.Request) -> httpx.Response:
        return bundle(large)

    async def calls() -> tuple[int, int]:
        one = peer(answer)
        return len(await one.fetch(BASE, queries(10), 30)), len(await one.fetch(BASE, queries(2), 30))

    assert asyncio.run(calls()) == (3, 2)  # each call anew


def test_a_server_that_hangs_holds_up_nobody_elses() -> None:
    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(3600)
        raise AssertionError

    async def answer(_: httpx.Request) -> httpx.Response:
        return bundle()

    async def calls() -> int:
        made = iter((hang, answer))
        peers = Peers(lambda: httpx.AsyncClient(transport=httpx.MockTransport(next(made))))
        bad, good = Server("https://a.example/fhir", ""), Server("https://b.example/fhir", "")
        hanging = [asyncio.create_task(peers.of(bad).fetch(bad, queries(10), 3600)) for _ in range(12)]
        await asyncio.sleep(0)
        found = await peers.of(good).fetch(good, queries(10), 30)
        for each in hanging:
            each.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        return len(found)

    assert asyncio.run(calls()) == 10
