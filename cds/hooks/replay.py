"""Tokens that were seen: each may be used only once, whichever worker it reaches, and even after a restart."""

from __future__ import annotations

import logging
from collections.abc import Callable

from cds.records.database import Unavailable
from cds.records.keeper import Records, digest_of

_SWEEP = 256
"""Number of tokens after which expired ones are removed."""
_log = logging.getLogger("cds.hooks")


class SeenTokens:
    """Digests of (issuer, jti) until expiry: in memory for a single worker; in the records if other workers, or one after a restart, must
    know them.

    ``must``: if the records cannot be queried, a token is refused; without ``must`` it is then enough that this worker has not seen it.
    """

    def __init__(self, now: Callable[[], float], records: Records | None = None, must: bool = True) -> None:
        self._now, self._records = now, records
        self._falls_back = not must
        self._until: dict[bytes, float] = {}
        self._taken = 0

    async def take(self, issuer: str, jti: str, until: float) -> bool:
        """Record a token; False if it was seen before. Raises Unavailable if that cannot be determined."""
        token = digest_of(issuer, jti)
        if self._records is None:
            return self._is_first_here(token, until)
        first_here = self._is_first_here(token, until) if self._falls_back else True
        try:
            return await self._records.take(token, until) and first_here
        except Unavailable as why:
            if not self._falls_back:
                raise
            _log.error("whether another worker saw the token is not known", extra={"fault": str(why)})
            return first_here

    def _is_first_here(self, token: bytes, until: float) -> bool:
        self._taken += 1
        if self._taken % _SWEEP == 1:
            now = self._now()
            self._until = {each: end for each, end in self._until.items() if end >= now}
        if token in self._until:
            return False
        self._until[token] = until
        return True
