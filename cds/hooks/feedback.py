"""What clinicians did with our cards: accepted, or set aside and why. Checked here, kept elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

MOST_BYTES = 256 * 1024
"""Maximum size of a batch: reading more would delay other calls."""
_MOST = 1_000
_YEARS = 2000, 2100  # between which a report can be dated; any other year is a fault of the client


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


Text = Annotated[str, AfterValidator(lambda text: text.replace("\0", ""))]
"""A text that every database accepts: without NUL."""


class AcceptedSuggestion(_Lenient):
    id: Text = Field(min_length=1, max_length=200)


class ReasonCoding(_Lenient):
    code: Text = Field(min_length=1, max_length=200)
    system: Text = Field(default="", max_length=500)
    display: Text = Field(default="", max_length=500)


class OverrideReason(_Lenient):
    """A coded reason, a comment, or what a vendor puts into an extension."""

    reason: ReasonCoding | None = None
    userComment: Text = Field(default="", max_length=4_000)
    extension: dict[str, Any] | None = None


class Feedback(_Lenient):
    """What became of one card."""

    card: Text = Field(min_length=1, max_length=200)
    outcome: Literal["accepted", "overridden"]
    outcomeTimestamp: AwareDatetime
    acceptedSuggestions: list[AcceptedSuggestion] = Field(default=[], max_length=100)
    overrideReason: OverrideReason | None = Field(
        default=None, validation_alias=AliasChoices("overrideReason", "overrideReasons")
    )

    @model_validator(mode="after")
    def _accepted_what(self) -> Feedback:
        if self.outcome == "accepted" and not self.acceptedSuggestions:
            raise ValueError("an accepted card needs acceptedSuggestions")
        if not self.card or not _YEARS[0] <= self.outcomeTimestamp.year <= _YEARS[1]:
            raise ValueError("a report is on a card, and of a time that can be")
        return self

    @property
    def key(self) -> tuple[str, str, datetime]:
        """Reports with the same key are the same report: a client may send it again."""
        return self.card, self.outcome, self.outcomeTimestamp

    @property
    def at(self) -> float:
        """When it happened, in seconds since 1970."""
        return self.outcomeTimestamp.timestamp()

    @property
    def suggestions(self) -> list[str]:
        """The ids of the suggestions that were accepted."""
        return [each.id for each in self.acceptedSuggestions]

    @property
    def reason(self) -> tuple[str, str, str]:
        """Code, system and display of the reason for which it was set aside; empty where none was given."""
        coding = self.overrideReason.reason if self.overrideReason is not None else None
        return (coding.code, coding.system, coding.display) if coding is not None else ("", "", "")

    @property
    def comment(self) -> str:
        """What the clinician wrote."""
        return self.overrideReason.userComment if self.overrideReason is not None else ""


class Batch(_Lenient):
    """What is posted to a service's feedback address."""

    feedback: list[Feedback] = Field(min_length=1, max_length=_MOST)


class WrongFeedback(Exception):
    """The body is not valid feedback; ``str`` names the elements at fault, never their values."""


class Keeper(Protocol):
    """Where feedback goes."""

    async def keep(self, service: str, issuer: str, reports: list[Feedback]) -> None:
        """Store reports; the same ones may be sent again. Raises Unavailable if they were not stored."""


class Counted:
    """Used where there is no store: only counts reports, by service and outcome."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}

    async def keep(self, service: str, issuer: str, reports: list[Feedback]) -> None:
        for report in {each.key: each for each in reports}.values():
            key = service, report.outcome
            self.counts[key] = self.counts.get(key, 0) + 1


def read_feedback(body: bytes) -> list[Feedback]:
    """The reports in a body. Raises WrongFeedback."""
    try:
        return Batch.model_validate_json(body).feedback
    except ValidationError as error:
        places = sorted({".".join(map(str, each["loc"])) or "the body" for each in error.errors(include_input=False)})
        raise WrongFeedback("cannot be taken: " + ", ".join(places[:10])) from None
