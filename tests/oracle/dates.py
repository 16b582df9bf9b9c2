"""Days and codes, as FHIR writes them."""

from __future__ import annotations

from datetime import date, datetime

from tests.oracle.codes import DRUG_NAMES
from tests.oracle.record import Json, When


def when(text: str) -> When:
    """A FHIR date or dateTime; midnight is a date, not a time (fhir.md)."""
    if len(text) == 10:
        return When(date.fromisoformat(text))
    moment = datetime.fromisoformat(text)
    return When(moment.date(), None if (moment.hour, moment.minute) == (0, 0) else moment)


def codes(concept: Json | None) -> list[str]:
    """The codes of a CodeableConcept; those of vaccines with a word before, for they are short numbers."""
    found = (concept or {}).get("coding", [])
    return [f"cvx:{c['code']}" if c.get("system", "").endswith("/cvx") else c.get("code", "") for c in found]


def drug(concept: Json) -> str:
    """The code of a drug; of one that has none, what its name says."""
    if found := codes(concept):
        return found[0]
    name = concept.get("text", "").lower()
    return next((means for part, means in DRUG_NAMES.items() if part in name), "")
