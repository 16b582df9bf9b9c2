"""Logs as one JSON object per line, with only the fields listed here: no patient, no text from a request, no token."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from uuid import uuid4

FIELDS = ("request", "service", "status", "cards", "ms", "issuer", "reason", "fault", "key", "fetched", "knowledge")
"""The fields of a line in addition to time, level and event. Each value is a number, or a word from this program or the settings."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_WORD = re.compile(r"[\w .,:;'()/@+%?#=-]{0,200}")


class Lines(logging.Formatter):
    """Formats a log record with the listed fields; of an exception, only its type and where it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.msg if record.name.startswith("cds") else f"{record.name} speaks",
        }
        for name in FIELDS:
            value = getattr(record, name, None)
            if (isinstance(value, (int, float)) and not isinstance(value, bool)) or (
                isinstance(value, str) and _WORD.fullmatch(value)
            ):
                line[name] = value
        if record.exc_info and record.exc_info[0] is not None:
            line["fault"] = record.exc_info[0].__name__
            trace = record.exc_info[2]
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if trace is not None:
                line["at"] = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        return json.dumps(line)


def set_up_logs(level: str) -> None:
    """Send every logger of the process through :class:`Lines`; libraries that log addresses may only log warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("cds").setLevel(level.upper())
    for name in ("httpx", "httpcore", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.WARNING)


def request_id(given: str | None) -> str:
    """The caller's id for a request if it is harmless, otherwise a new one."""
    return given if given and _REQUEST_ID.fullmatch(given) else str(uuid4())
