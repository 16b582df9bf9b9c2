"""Calls back to the EHR's FHIR server: what a client did not send is fetched, within one deadline.

Only servers that the settings allow are queried, at the base address in the settings; no redirect is followed, no
compressed answer is accepted, and the token is sent to that server only. Of a failed query only the failure is logged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import msgspec

from cds.chart.wire import UNREADABLE

_MOST_BYTES = 4 * 1024 * 1024
_MOST_OF_ALL = 12 * 1024 * 1024  # bytes of all answers of one call
_MOST_PAGES = 20
_log = logging.getLogger("cds.hooks")


class NotFetched(Exception):
    """A query without a usable answer; ``str`` is a word for the log."""


@dataclass(frozen=True)
class Server:
    """The base address of a FHIR server, and the token to use there."""

    base: str
    token: str


class Room:
    """Limits for the queries of one call: how many one server gets at once, and how many bytes the answers may still have."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self.slots, self._bytes = slots, _MOST_OF_ALL

    def take(self, number: int) -> None:
        """Raises NotFetched when the answers of a call are too many bytes together."""
        self._bytes -= number
        if self._bytes < 0:
            raise NotFetched("large together")

    def give_back(self, number: int) -> None:
        """The bytes of an answer that is not used: they keep no other answer out."""
        self._bytes += number


class Page(msgspec.Struct):
    """The elements of an answer that are decoded; the rest stays bytes."""

    resourceType: str = ""
    link: list[dict[str, Any]] = []


def allowed(named: str | None, servers: Sequence[str]) -> str | None:
    """The base address in the settings that equals a request's ``fhirServer``; None if there is none.

    The two are compared as httpx would send them, so that another spelling of an address cannot slip through.
    """
    if not named:
        return None
    asked = _canonical(named)
    return next((base for base in servers if asked is not None and _canonical(base) == asked), None)


def _canonical(url: str) -> tuple[str, str, int | None, str] | None:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        return None
    if parsed.userinfo or parsed.query or parsed.fragment:
        return None
    port = parsed.port or {"https": 443, "http": 80}.get(parsed.scheme)
    return parsed.scheme, parsed.host, port, parsed.path.rstrip("/")


async def fetch(
    client: httpx.AsyncClient, server: Server, queries: Mapping[str, str], seconds: float, slots: asyncio.Semaphore
) -> dict[str, bytes]:
    """The answers to queries (key to relative address), with as many queries at once as there are slots. Answers that failed or came too
    late are left out."""
    room = Room(slots)
    tasks = {key: asyncio.create_task(_all_pages(client, server, query, room)) for key, query in queries.items()}
    if not tasks:
        return {}
    done, late = await asyncio.wait(tasks.values(), timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    found: dict[str, bytes] = {}
    for key, task in tasks.items():
        fault = "late" if task not in done else str(task.exception() or "")
        if fault:
            _log.warning("a FHIR query failed", extra={"key": key, "fault": fault})
        else:
            found[key] = task.result()
    return found


async def _all_pages(client: httpx.AsyncClient, server: Server, query: str, room: Room) -> bytes:
    """A resource, or a Bundle with the entries of every page. Raises NotFetched."""
    pages: list[bytes] = []
    try:
        await _follow(client, server, query, room, pages)
        return pages[0] if len(pages) == 1 else _joined(pages)
    except NotFetched:
        room.give_back(sum(map(len, pages)))
        raise


async def _follow(client: httpx.AsyncClient, server: Server, query: str, room: Room, pages: list[bytes]) -> None:
    """Puts an answer's pages into ``pages``. Raises NotFetched."""
    address, seen = f"{server.base}/{query}", set[str]()
    while len(pages) < _MOST_PAGES and address not in seen:
        seen.add(address)
        async with room.slots:
            pages.append(await _one(client, server, address, room))
        if sum(map(len, pages)) > _MOST_BYTES:
            raise NotFetched("large")
        following = _next(pages[-1])
        if not following:
            return
        address = _within(server.base, following)
    raise NotFetched("paging")


async def _one(client: httpx.AsyncClient, server: Server, address: str, room: Room) -> bytes:
    headers = {"Accept": "application/fhir+json", "Accept-Encoding": "identity"}
    if server.token:
        headers["Authorization"] = f"Bearer {server.token}"
    try:
        async with client.stream("GET", address, headers=headers) as answer:
            if answer.status_code == 404 and "?" not in address:
                raise NotFetched("404")
            if answer.status_code != 200:
                raise NotFetched(str(answer.status_code))
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise NotFetched("compressed")
            if "json" not in answer.headers.get("content-type", "json"):
                raise NotFetched("not JSON")
            return await _body(answer, room)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise NotFetched(type(error).__name__) from None


async def _body(answer: httpx.Response, room: Room) -> bytes:
    body = bytearray()
    try:
        async for chunk in answer.aiter_raw():
            body += chunk
            room.take(len(chunk))
            if len(body) > _MOST_BYTES:
                raise NotFetched("large")
    except (NotFetched, httpx.HTTPError, httpx.StreamError):
        room.give_back(len(body))
        raise
    return bytes(body)


def _next(body: bytes) -> str:
    """The address of the following page; empty for the last one. Raises NotFetched if the body is not FHIR."""
    try:
        page = msgspec.json.decode(body, type=Page)
    except UNREADABLE:
        raise NotFetched("not FHIR") from None
    if not page.resourceType:
        raise NotFetched("not FHIR")
    if page.resourceType == "OperationOutcome":
        raise NotFetched("outcome")
    links = (each for each in page.link if isinstance(each, dict) and each.get("relation") == "next")
    url = next((each.get("url") for each in links), "")
    return url if isinstance(url, str) else ""


def _within(base: str, url: str) -> str:
    """A page's address on the same server under the same base. Raises NotFetched for any other."""
    whole = str(httpx.URL(base + "/").join(url))
    wanted, got = urlsplit(base), urlsplit(whole)
    same = (wanted.scheme, wanted.netloc) == (got.scheme, got.netloc)
    if (
        not same
        or not (got.path == wanted.path or got.path.startswith(wanted.path.rstrip("/") + "/"))
        or ".." in unquote(got.path)
    ):
        raise NotFetched("another server")
    return whole


def _joined(pages: Sequence[bytes]) -> bytes:
    """One searchset of all entries."""
    entries: list[msgspec.Raw] = []
    for page in pages:
        try:
            whole = msgspec.json.decode(page, type=dict[str, msgspec.Raw])
            entries += msgspec.json.decode(whole.get("entry", b"[]"), type=list[msgspec.Raw])
        except UNREADABLE:
            raise NotFetched("not FHIR") from None
    return msgspec.json.encode({"resourceType": "Bundle", "type": "searchset", "entry": entries})
