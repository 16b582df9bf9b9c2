"""The public keys of an issuer: from a file, or fetched from its JWKS address, kept, and fetched again when they rotate."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import jwt

from cds.hooks.settings import Issuer

_MOST_BYTES = 256 * 1024
_SECONDS = 2.0
_FRESH = 600.0  # seconds; younger keys are used without fetching them again
_STALE = 24 * 3600.0  # seconds; if the issuer cannot be reached, keys are used up to this age
_APART = 30.0  # seconds between two fetches for an unknown key
_FIRST = 2.0  # seconds between two fetches while no key is known
_log = logging.getLogger("cds.hooks")


class UnknownKey(Exception):
    """There is no such key, or the issuer's keys cannot be obtained."""


class Key(NamedTuple):
    """A public key, and the one algorithm that it is for, where the issuer says so."""

    public: Any
    algorithm: str


class Keys:
    """The keys of one issuer by their ``kid``. Only the address in the settings is ever fetched."""

    def __init__(self, issuer: Issuer, now: Callable[[], float], client: httpx.AsyncClient | None = None) -> None:
        self._issuer, self._now, self._client = issuer, now, client
        self._keys: dict[str, Key] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = asyncio.Lock()
        if issuer.jwks_file is not None:
            self._keys = keys_in(issuer.jwks_file.read_bytes())

    @property
    def is_empty(self) -> bool:
        """Whether no key is known now."""
        return not self._keys

    async def key(self, kid: str) -> Key:
        """The key of that id. Raises UnknownKey."""
        if self._issuer.jwks_file is None:
            age = self._now() - self._fetched
            apart = _APART if self._keys else _FIRST
            if (kid not in self._keys or age > _FRESH) and self._now() - self._tried > apart:
                await self._refresh(apart)
            if self._now() - self._fetched > _STALE:
                raise UnknownKey
        try:
            return self._keys[kid]
        except KeyError:
            raise UnknownKey from None

    async def _refresh(self, apart: float) -> None:
        async with self._lock:
            if self._now() - self._tried <= apart:
                return  # another request has just fetched them
            self._tried = self._now()
            try:
                found = keys_in(await self._fetch())
                if not found:
                    raise ValueError("no keys")  # the known keys are kept
                self._keys, self._fetched = found, self._now()
            except (httpx.HTTPError, httpx.StreamError, OSError, TimeoutError, ValueError, UnknownKey) as error:
                _log.warning("keys of an issuer cannot be fetched", extra={"fault": type(error).__name__})

    async def _fetch(self) -> bytes:
        assert self._client is not None and self._issuer.jwks_url is not None
        async with asyncio.timeout(_SECONDS):  # httpx's own timeouts are per read, and never end on a slow trickle
            async with self._client.stream("GET", self._issuer.jwks_url) as answer:
                if answer.status_code != 200 or answer.headers.get("content-encoding", "identity") != "identity":
                    raise UnknownKey
                body = b""
                async for chunk in answer.aiter_raw():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise UnknownKey
                return body


def keys_in(body: bytes) -> dict[str, Key]:
    """The keys of a JWKS that can verify signatures; others are skipped. Raises ValueError if it is not a JWKS."""
    found: dict[str, Key] = {}
    document: Any = json.loads(body)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("not a key set")
    for each in keys:
        if not isinstance(each, dict) or each.get("kty") not in ("EC", "RSA") or "d" in each:
            continue
        if each.get("use", "sig") != "sig":
            continue  # for encryption
        try:
            key = jwt.PyJWK(each)
        except jwt.PyJWTError:
            continue
        if key.key_id:
            found[key.key_id] = Key(key.key, str(each.get("alg") or ""))
    return found
