"""Who is calling: the bearer token of a CDS Hooks client, fully checked; a refused caller is not told the reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from cds.hooks.keys import Keys, UnknownKey
from cds.hooks.replay import SeenTokens
from cds.hooks.settings import Issuer, Settings
from cds.records.database import Unavailable
from cds.records.keeper import Records

_LEEWAY = 30
_LONGEST = 3600  # seconds from issue to expiry
_EARLY = 360  # seconds that `nbf` may lie before `iat`; one EHR writes five minutes
_REQUIRED = ["iss", "aud", "exp", "iat", "jti"]
_MOST_CHARACTERS = 16 * 1024
_SERVICES = "/cds-services"


class Refused(Exception):
    """The call is not authenticated. ``reason`` is for the log, never for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unknowable(Exception):
    """It cannot be determined now whether the token was used before."""


@dataclass(frozen=True)
class Caller:
    """A caller that is let in, and the FHIR servers that it may name."""

    issuer: str
    fhir_servers: tuple[str, ...]


class Authentication:
    """Checks tokens against the settings. If no issuers are set, every caller is let in."""

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], float],
        client: httpx.AsyncClient | None = None,
        records: Records | None = None,
    ) -> None:
        self._settings, self._now = settings, now
        self._issuers = {issuer.iss: issuer for issuer in settings.issuers}
        self._keys = {issuer.iss: Keys(issuer, now, client) for issuer in settings.issuers}
        seen = SeenTokens(now, records, settings.records_failure == "refuse" or not settings.records)
        self._seen = seen if settings.issuers and settings.replay == "reject" else None

    async def check(self, authorization: str | None, path: str) -> Caller:
        """The caller behind an Authorization header of a call to ``path``. Raises Refused; Unknowable if reuse cannot be checked now."""
        if not self._issuers:
            return Caller("", tuple(self._settings.fhir_servers))
        token = _bearer(authorization)
        issuer, header = self._issuer_of(token)
        claims = await self._claims(token, header, issuer, _audiences(issuer, path))
        self._check_times(claims)
        if issuer.tenants and claims.get("tenant") not in issuer.tenants:
            raise Refused("tenant")
        await self._check_replay(issuer, claims)
        return Caller(issuer.iss, tuple(issuer.fhir_servers))

    def _issuer_of(self, token: str) -> tuple[Issuer, Mapping[str, Any]]:
        """The issuer that a token claims, if the settings name it, and the token's header; nothing is verified yet."""
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Refused("not a token") from None
        name = unverified["payload"].get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise Refused("issuer")
        return issuer, unverified["header"]

    async def _claims(
        self, token: str, header: Mapping[str, Any], issuer: Issuer, audiences: Sequence[str]
    ) -> Mapping[str, Any]:
        if header.get("alg") not in issuer.algorithms:  # never the token's own choice
            raise Refused("algorithm")
        if not issuer.ignore_jku and header.get("jku") is not None and header["jku"] != issuer.jwks_url:
            raise Refused("jku")  # compared, never fetched
        try:
            key = await self._keys[issuer.iss].key(str(header.get("kid", "")))
            if key.algorithm not in ("", header["alg"]):
                raise Refused("algorithm of the key")
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.public,
                algorithms=list(issuer.algorithms),
                audience=list(audiences),
                issuer=issuer.iss,
                leeway=_LEEWAY,
                options={"require": _REQUIRED, "enforce_minimum_key_length": True, "verify_exp": False,
                         "verify_iat": False, "verify_nbf": False},
            )  # fmt: skip
        except UnknownKey:
            raise Refused("key") from None
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Refused(_failed(error)) from None
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        """Checks that the library leaves out: the times are numbers, the token is short-lived, and not issued long ago or in the future."""
        now = self._now()
        exp, iat, nbf = claims["exp"], claims["iat"], claims.get("nbf", claims["iat"])
        if any(type(each) not in (int, float) for each in (exp, iat, nbf)):
            raise Refused("times")
        if not now - _LEEWAY < exp <= iat + _LONGEST + _LEEWAY:
            raise Refused("expiry")
        if not now - _LONGEST - _LEEWAY <= iat <= now + _LEEWAY:
            raise Refused("issued")
        if not iat - _EARLY <= nbf <= now + _LEEWAY:
            raise Refused("not before")

    async def _check_replay(self, issuer: Issuer, claims: Mapping[str, Any]) -> None:
        jti = claims["jti"]
        if not isinstance(jti, str) or not jti or not _is_text(jti):
            raise Refused("jti")
        if self._seen is None:
            return
        try:
            first = await self._seen.take(issuer.iss, jti, float(claims["exp"]) + _LEEWAY)
        except Unavailable:
            raise Unknowable from None  # not knowing means neither accepting the token nor calling it invalid
        if not first:
            raise Refused("replayed")


def unusable_keys(settings: Settings) -> str:
    """Why the issuers' key files cannot be used, in words; empty if they can. Called once, before any worker is started."""
    for issuer in settings.issuers:
        try:
            none = issuer.jwks_file is not None and Keys(issuer, time.time).is_empty
        except (OSError, ValueError) as error:
            return f"jwks_file of {issuer.iss}: cannot be read as keys ({type(error).__name__})"
        if none:
            return f"jwks_file of {issuer.iss}: holds no public key with a kid, so that every call would be refused"
    return ""


def _failed(error: Exception) -> str:
    """Which claim failed, for the log; never its value."""
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"{error.claim} is missing"
    known = {jwt.InvalidAudienceError: "aud", jwt.InvalidIssuerError: "iss", jwt.InvalidSignatureError: "signature"}
    return next((word for kind, word in known.items() if isinstance(error, kind)), "signature or claims")


def _is_text(text: str) -> bool:
    """Whether a text can be encoded: half of a UTF-16 surrogate pair cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _audiences(issuer: Issuer, path: str) -> list[str]:
    """The audiences that a token for a call to ``path`` may have.

    An audience in the settings that ends in ``/cds-services`` covers every address below it, but each one separately: a token
    for one service is not valid for another. Any other audience is used as it is, for EHRs where it is entered by hand.
    """
    below = path.rstrip("/").removeprefix(_SERVICES)
    return [each + below if each.endswith(_SERVICES) else each for each in issuer.audiences]


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > _MOST_CHARACTERS:
        raise Refused("no token")
    return token.strip()
