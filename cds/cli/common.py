"""What several commands share: options, reading files, and exit codes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from cds.chart.body import InputError
from cds.chart.request import Request, newest_date, read_request
from cds.chart.times import parse_now
from cds.compiled.hooks import HOOKS, Hook
from cds.compiled.knowledge import Knowledge
from cds.knowledge.load import UnsoundRules, load
from cds.knowledge.reviews import active_only

USAGE, FAULT = 2, 70
T = TypeVar("T")


def stop(message: str, code: int = USAGE) -> NoReturn:
    """End with a message on standard error."""
    click.echo(f"sirolimus-cds: {message}", err=True)
    sys.exit(code)


@dataclass(frozen=True)
class Rules:
    """Which rules to judge by: a folder (None: the shipped one), a protocol ('': its default), and overlays."""

    folder: str | None
    protocol: str
    overlays: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """The arguments of a command that judges files; ``at`` as it was typed."""

    files: tuple[str, ...]
    hook: Hook | None
    at: str | None
    patient: str | None
    rules: Rules
    form: str


def judging_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that judges files, passed to it as one argument; its own options are passed separately."""
    shared = {each.name for each in fields(Asked)}

    @functools.wraps(command)
    def run(**options: Any) -> None:
        own = {name: value for name, value in options.items() if name not in shared}
        command(Asked(**{name: value for name, value in options.items() if name in shared}), **own)

    decorated: Callable[..., None] = rules_options(run)
    for option in reversed(
        (
            click.argument("files", nargs=-1, required=True, metavar="FILE..."),
            click.option(
                "--hook", type=click.Choice(HOOKS), help="The hook to judge a Bundle on (default: patient-view)."
            ),
            click.option(
                "--at",
                "at",
                metavar="TIME",
                help="Judge as of this ISO 8601 time, or 'latest' for the newest date in the input (default: now).",
            ),
            click.option("--patient", metavar="ID", help="The patient to judge, where a Bundle holds several."),
            click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True),
        )
    ):
        decorated = option(decorated)
    return decorated


def rules_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options for rules, overlays and protocol, passed to the command as one argument."""

    @functools.wraps(command)
    def run(rules: str | None, protocol: str, overlay: tuple[str, ...], **options: Any) -> None:
        command(rules=Rules(rules, protocol, overlay), **options)

    decorated: Callable[..., None] = run
    for option in (
        click.option("--rules", "rules", metavar="FOLDER", help="A rules folder in place of the shipped one."),
        click.option(
            "--overlay",
            multiple=True,
            metavar="FOLDER",
            help="A folder of your own that lies over the rules; what it replaces is printed. May be repeated.",
        ),
        click.option(
            "--protocol",
            default="",
            metavar="NAME",
            help="A protocol under rules/protocols/ (default: the one that says so).",
        ),
    ):
        decorated = option(decorated)
    return decorated


def load_rules(rules: Rules, *, cached: bool = True, signers: Path | None = None) -> Knowledge:
    """The rules asked for; what overlays replaced is printed on standard error. Ends with a message if the rules are unsound."""
    try:
        knowledge = load(
            Path(rules.folder) if rules.folder else None,
            rules.protocol,
            [Path(o) for o in rules.overlays],
            cached=cached,
            signers=signers,
        )
    except UnsoundRules as unsound:
        stop("the rules cannot be used; see 'sirolimus-cds check'\n" + "\n".join(unsound.faults))
    for change in knowledge.changes:
        click.echo(f"sirolimus-cds: overlay {change}", err=True)
    return knowledge


def make_engine(rules: Rules, *, signed: bool = False, cached: bool = True, signers: Path | None = None) -> Any:
    """The engine over the rules asked for, or the ``signed`` among them.

    Ends with a message when they are unsound or none is signed (2), or the engine fails (70).
    """
    from cds.engine import CheckedEngine, EngineFault

    knowledge = load_rules(rules, cached=cached, signers=signers)
    if signed:
        knowledge = active_only(knowledge)
        if not any(rule.status == "active" for rule in knowledge.rules):
            stop("only signed rules are to be served, and none is signed; see 'sirolimus-cds sign'")
        if knowledge.hidden_rules:
            unsigned = ", ".join(knowledge.hidden_rules)
            click.echo(f"sirolimus-cds: not shown, for want of a signature: {unsigned}", err=True)
    try:
        return CheckedEngine(knowledge)
    except EngineFault as fault:
        stop(f"the rule engine cannot be used: {fault}", FAULT)


def watched(label: str, items: Sequence[T]) -> Iterator[T]:
    """``items``, with a progress bar on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, label=f"{label:<10}", file=sys.stderr) as bar:
        yield from bar


def shown_name(name: str) -> str:
    """A file's name as text; a name need not be valid UTF-8."""
    return name.encode("utf-8", "replace").decode()


def read_file(name: str) -> bytes:
    """The bytes of a file, or of standard input for '-'. Raises InputError."""
    try:
        if name == "-" and sys.stdin is None:
            raise InputError("cannot be read (standard input is closed)")
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name, or standard input that is closed
        raise InputError(f"cannot be read ({getattr(error, 'strerror', None) or 'not a file'})") from None


def read_question(name: str, hook: Hook | None, patient: str | None, whole: bool = True) -> Request:
    """The request in a file; unless ``whole`` is false, with the medications. Raises InputError."""
    request = read_request(read_file(name), hook, patient)
    if whole and request.from_hook and "MedicationRequest" in request.not_supplied:
        raise InputError("the medications (prefetch key 'medications') were not supplied")
    return request


def parse_at(text: str | None) -> datetime | None:
    """``--at`` as a moment; None for 'latest'. Ends with exit code 2 when it is neither."""
    if text is None:
        return datetime.now(UTC).astimezone()
    if text == "latest":
        return None
    moment = parse_now(text)
    if moment is None:
        stop(f"--at: '{text}' is not an ISO 8601 date or time, nor 'latest'")
    return moment


def moment_for(at: datetime | None, request: Request) -> datetime:
    """The time to judge at. Raises InputError when 'latest' finds no date."""
    if at is not None:
        return at
    newest = newest_date(request)
    if newest is None:
        raise InputError("nothing in it has a date, so there is no latest one")
    return newest
