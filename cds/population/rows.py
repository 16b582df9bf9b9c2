"""The rows of the results. The meaning of each column is written next to it, and goes into the schema of its table."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

MONTHS = (3, 6, 12)


def _means(text: str) -> Meta:
    return Meta(description=text)


Who = Annotated[str, _means("the id of the Patient, or its pseudonym")]
AtLandmark = Annotated[
    str,
    _means(
        "at the landmark of so many months, as of the end of its window: complete, partial, none; or died, stopped, not reached, "
        "not evaluable, start not known, not judged by this protocol"
    ),
]
Confirmed = Annotated[bool | None, _means("whether that response is confirmed; empty where there is none")]
Closed = Annotated[bool | None, _means("whether the window of that landmark was over when it was judged")]


class Member(msgspec.Struct, kw_only=True):
    """A patient who ever had an order or a dose of oral sirolimus."""

    patient: Who
    itp: Annotated[bool, _means("whether ITP is on record")]
    sex: Annotated[str, _means("Patient.gender")]
    age_group: Annotated[str | None, _means("adult or child, as the protocol divides them")]
    start: Annotated[date | None, _means("the first day of the newest course; empty where it began before the record")]
    days: Annotated[int | None, _means("days from then to the day of judging")]
    state: Annotated[str, _means("taking, held, stopped, stopped_unknown, none, died")]
    ended: Annotated[date | None, _means("the last day of a course that was stopped")]
    died: Annotated[date | None, _means("Patient.deceasedDateTime")]
    phase: Annotated[str | None, _means("starting or maintenance")]
    dose_mg_day: Annotated[float | None, _means("mg of sirolimus a day, as ordered")]
    trough_ng_ml: Annotated[float | None, _means("the newest usable level in ng/mL; empty where it is only a bound")]
    platelets: Annotated[float | None, _means("the newest usable count in 10^9/L; empty where it is only a bound")]
    response: Annotated[str | None, _means("the response by that count")]
    treg: Annotated[str | None, _means("regulatory T cells over time, where they were measured")]
    critical: Annotated[int, _means("critical findings on the day of judging")]
    warning: Annotated[int, _means("warnings on that day")]
    info: Annotated[int, _means("other findings on that day")]
    resources: Annotated[int, _means("resources of the patient that were read")]
    broken: Annotated[int, _means("resources of which some element has the wrong shape; the findings name them")]
    digest: Annotated[str, _means("a hash of all that the cards say; equal where the same was said")]
    response_3: AtLandmark = "start not known"
    confirmed_3: Confirmed = None
    closed_3: Closed = None
    response_6: AtLandmark = "start not known"
    confirmed_6: Confirmed = None
    closed_6: Closed = None
    response_12: AtLandmark = "start not known"
    confirmed_12: Confirmed = None
    closed_12: Closed = None
    report: Annotated[str, _means("the patient's own report, where reports were asked for")] = ""

    def at(self, months: int) -> tuple[str, bool | None, bool | None]:
        """The response at a landmark, whether it is confirmed, and whether its window was over."""
        return tuple(getattr(self, f"{name}_{months}") for name in ("response", "confirmed", "closed"))


class Finding(msgspec.Struct, kw_only=True):
    """A rule that holds for a patient, and is shown."""

    patient: Who
    at: Annotated[datetime, _means("as of when it was judged")]
    rule: Annotated[str, _means("the rule that holds")]
    indicator: Annotated[str, _means("critical, warning or info")]
    summary: Annotated[str, _means("what its card says first")]
    evidence: Annotated[list[str], _means("the resources that it rests on; empty with pseudonyms")]


class Value(msgspec.Struct, kw_only=True):
    """A level or a platelet count."""

    patient: Who
    kind: Annotated[str, _means("level (ng/mL) or platelets (10^9/L)")]
    on: Annotated[date, _means("when the sample was taken")]
    day: Annotated[int | None, _means("day of the course")]
    value: Annotated[float, _means("in ng/mL or 10^9/L")]
    comparator: Annotated[str, _means("<, <=, > or >= where the value is only a bound")] = ""
    usable: Annotated[bool, _means("whether it may be judged by")]
    why_not: Annotated[str, _means("why not")]
    in_target: Annotated[
        bool | None, _means("whether a level is in the protocol's target; empty where its bound cannot tell")
    ] = None
    response: Annotated[
        str | None,
        _means("the response that a usable count means: complete, partial, none; empty where it cannot be told"),
    ] = None
    reference: Annotated[str, _means("the resource; empty with pseudonyms")] = ""


TABLES: dict[str, type[Any]] = {"patients": Member, "findings": Finding, "values": Value}
