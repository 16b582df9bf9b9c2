"""How the service is set up: by one TOML file, by the environment, or by the command line; each takes precedence over the one before."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from cds.compiled.hooks import UNLESS_SET, HookName
from cds.records.database import is_postgres

PREFIX = "SIROLIMUS_CDS_"
_PASSWORD = re.compile(r"(?<=:)[^/:@]+(?=@)|(?<=password=)[^&]+")
Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]


class WrongSettings(Exception):
    """The settings cannot be used; ``str`` says which and why, one per line."""


def _base(url: str) -> str:
    """A FHIR server's base address: https, or http on loopback, without user, query or fragment."""
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not secure or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an https address without user, query or fragment (http only on loopback)")
    return url.rstrip("/")


def _zone(name: str) -> str:
    if name and name not in available_timezones():
        raise ValueError("is not a time zone; write for example Europe/Vienna")
    return name


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _each_once(hooks: list[HookName]) -> list[HookName]:
    for each in hooks:
        if hooks.count(each) > 1:
            raise ValueError(f"{each} is named twice")
    return hooks


BaseUrl = Annotated[str, AfterValidator(_base)]


LONGEST_WAIT = 0.15
"""Seconds that calls may wait for their turn; a call that would wait longer is refused at once, because a late card is not read."""


class Issuer(BaseModel):
    """An EHR that may call: who signs its tokens, with what, for which address, and which FHIR servers are its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    iss: str = Field(min_length=1)
    jwks_url: BaseUrl | None = None
    jwks_file: Path | None = None  # if both are given, the file is read, and a token may name the address
    ignore_jku: bool = False  # do not check the address of the keys (jku) that a token names
    algorithms: list[Algorithm] = ["ES384", "RS384"]
    audiences: list[str] = Field(min_length=1)  # addresses of our endpoints, exactly as the EHR writes them
    tenants: list[str] = []
    fhir_servers: list[BaseUrl] = []

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Issuer:
        if self.jwks_url is None and self.jwks_file is None:
            raise ValueError("give jwks_url, jwks_file or both")
        return self


class Settings(BaseModel):
    """All settings. ``without_authentication`` must be set explicitly to serve beyond loopback without issuers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    rules: Path | None = None
    protocol: str = ""
    overlays: list[Path] = []
    hooks: Annotated[list[HookName], AfterValidator(_each_once)] = Field(default=list(UNLESS_SET), min_length=1)
    pages: BaseUrl | None = (
        None  # the address at which clinicians reach the workbench: cards link to the page of their rule
    )
    one_action: bool = False  # one suggestion for each action, for clients that accept only one (Epic)
    active_only: bool = False  # serve only the rules that a clinician has signed
    signers: Path | None = (
        None  # OpenSSH's allowed signers file: if set, every reviews.yaml must be signed by one of its keys
    )
    allow_origins: list[str] = []
    hosts: list[str] = []  # further names by which callers may address the service
    time_zone: Annotated[str, AfterValidator(_zone)] = ""
    issuers: list[Issuer] = []
    without_authentication: bool = False
    replay: Literal["reject", "allow"] = "reject"
    replay_file: Path | None = None  # used tokens only, for when nothing else is recorded
    records: str = ""  # a path or a PostgreSQL URL: decisions, feedback and tokens; empty: none are kept
    records_keep: Literal["verdict", "facts", "input"] = "verdict"
    records_key_file: Path | None = None  # the key for hashing patients; default: records + ".key"
    records_failure: Literal["answer", "refuse"] = "answer"  # what to do if a decision cannot be recorded
    records_days: int = Field(default=365, ge=0, le=36_500)  # 0: until they are purged
    snooze: dict[
        str, Annotated[int, Field(ge=1, le=365)]
    ] = {}  # by rule, for how many days a card is held back after it was set aside
    once_a_course: list[str] = []  # rules whose card is shown on only one day of a course
    fhir_servers: list[BaseUrl] = []  # those that may be called back if callers are not authenticated
    max_body: int = Field(default=2 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024)
    body_seconds: float = Field(default=5.0, gt=0, le=60)
    answer_seconds: float = Field(default=1.5, gt=0, le=30)
    silent_seconds: float = Field(default=5.0, gt=0, le=60)
    drain_seconds: float = Field(default=5.0, ge=0, le=120)
    max_in_flight: int = Field(default=64, ge=1, le=10_000)
    max_body_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)  # of all bodies that are being received or waiting
    max_connections: int = Field(
        default=1000, ge=10, le=50_000
    )  # of one worker; fewer where the system lets it open fewer files
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=0, ge=0, le=65_000)  # the first port; each worker takes one; 0: no metrics
    workbench: bool | None = None  # pages at / and /rules; default: only where no other machine can call
    check_answers: bool = False  # validate every answer against the models before it is sent; slow
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _safe_to_expose(self) -> Settings:
        if not self.issuers and not self.without_authentication and not is_loopback(self.host):
            raise ValueError(
                f"{self.host} can be reached from other machines: name the issuers that may call, "
                "or say without_authentication = true"
            )
        if self.workbench and not (self.only_this_machine or self.without_authentication):
            raise ValueError(
                "the workbench does not authenticate its callers: it is for this machine only, or for where without_authentication is set"
            )
        if self.issuers and self.without_authentication:
            raise ValueError("issuers are named, and without_authentication is said too")
        if (self.snooze or self.once_a_course) and not self.records:
            raise ValueError("snooze and once_a_course need records, which know what became of a card")
        if self.records and self.replay_file is not None:
            raise ValueError("the tokens of replay_file are kept in records, too: leave replay_file out")
        if self.workers > 1 and self.issuers and self.replay == "reject" and not self.tokens_kept_in:
            raise ValueError("several workers need records or a replay_file to know of each other's tokens")
        return self

    @property
    def only_this_machine(self) -> bool:
        """Whether only this machine can call, and callers are not authenticated."""
        return is_loopback(self.host) and not self.issuers

    @property
    def known_hosts(self) -> list[str]:
        """The names by which callers may address the service; empty: any name, where only the network decides who may call."""
        named = [*self.hosts, *(urlsplit(each).hostname or "" for issuer in self.issuers for each in issuer.audiences)]
        names = {name.lower() for name in named if name}
        if is_loopback(self.host) or names:
            names |= {"localhost", "127.0.0.1", "::1", self.host.strip("[]").lower()}
        return sorted(names)

    @property
    def zone(self) -> ZoneInfo | None:
        """The hospital's time zone; None for the machine's."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    @property
    def tokens_kept_in(self) -> str:
        """Where used tokens are kept; empty: in memory."""
        return self.records or str(self.replay_file or "")

    def shown(self) -> dict[str, Any]:
        """All settings as they are set, for printing; without the password in a URL."""
        return self.model_dump(mode="json") | {"records": self._shown_place()}

    def _shown_place(self) -> str:
        return _PASSWORD.sub("***", self.records) if is_postgres(self.records) else self.records


def read_settings(
    file: Path | None = None, environ: Mapping[str, str] | None = None, given: Mapping[str, Any] | None = None
) -> Settings:
    """The settings of a TOML file, overruled by the environment, overruled by what was ``given`` on the command line.

    Raises:
        WrongSettings: a key is unknown or a value cannot be used; all faults at once.
    """
    environ = os.environ if environ is None else environ
    named = environ.get(f"{PREFIX}CONFIG")
    path = file or (Path(named) if named else None)
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise WrongSettings(f"{path.name}: cannot be read ({type(error).__name__})") from None
        except tomllib.TOMLDecodeError as error:
            raise WrongSettings(f"{path.name}: {error}") from None
    values |= _from_environment(environ)
    values |= {name: value for name, value in (given or {}).items() if value is not None}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise WrongSettings("\n".join(_sentence(dict(each)) for each in error.errors(include_input=False))) from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Plain values from ``SIROLIMUS_CDS_NAME``; lists are separated by commas. Tables (issuers, snooze) can only be set in the file."""
    found: dict[str, Any] = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name in (f"{PREFIX}CONFIG", f"{PREFIX}SETTINGS_OF_A_WORKER"):
            continue
        key = name.removeprefix(PREFIX).lower()
        field = Settings.model_fields.get(key)
        if field is None or key in ("issuers", "snooze"):
            raise WrongSettings(f"{name}: there is no such setting in the environment")
        several = field.default == [] or isinstance(field.default, list)
        found[key] = [part.strip() for part in text.split(",") if part.strip()] if several else text
    return found


def _sentence(item: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in item["loc"])
    said = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        said = "there is no such setting"
    return f"{place}: {said}" if place else said
