"""What two sets of rules say about the same patients: who gains, loses or sees another card."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from cds.advise import advise
from cds.authoring.events import Unwritten
from cds.authoring.scenarios import FOLDER, body_of, scenario_in, scenarios_of
from cds.authoring.sides import Side
from cds.chart.body import InputError
from cds.chart.request import Request, newest_date, read_request
from cds.engine import CheckedEngine
from cds.knowledge.tree import Fault

PARTS = ("indicator", "summary", "detail", "suggestions", "overrideReasons", "source")


@dataclass(frozen=True)
class Item:
    """One question about one patient: its name (a file and line, or a scenario's day) and how to read it.

    ``moment`` None: judge at the newest date in it. ``protocol``: the one a scenario names.
    """

    name: str
    body: Callable[[Side], bytes]
    moment: datetime | None = None
    protocol: str = ""


@dataclass(frozen=True)
class Changed:
    """A card that both sides show, and each part that differs, old and new."""

    rule: str
    parts: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Difference:
    """What differs for one item: rules with the summaries of their cards."""

    item: str
    gained: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    changed: list[Changed] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.changed)


@dataclass
class Comparison:
    """Both sides over all items; ``unreadable`` are those that neither could judge, with the reason."""

    items: int = 0
    differences: list[Difference] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def by_rule(self) -> dict[str, tuple[int, int, int]]:
        """By rule: on how many items its card is gained, lost, changed."""
        gained = Counter(rule for each in self.differences for rule in each.gained)
        lost = Counter(rule for each in self.differences for rule in each.lost)
        changed = Counter(one.rule for each in self.differences for one in each.changed)
        return {rule: (gained[rule], lost[rule], changed[rule]) for rule in sorted({*gained, *lost, *changed})}


def items_of(names: Sequence[str], new: Side) -> list[Item]:
    """What the files hold: Bundles, CDS Hooks requests, lines of NDJSON, scenarios. Without files, the new side's scenarios.

    Raises:
        InputError: a file cannot be read or is none of these.
    """
    if not names:
        faults: list[Fault] = []
        found = scenarios_of(new.engines.folder, faults, new.engines.overlays)
        if faults:
            raise InputError(str(faults[0]))
        return [item for scenario in found for item in _days(scenario)]
    items: list[Item] = []
    for name in names:
        path = Path(name)
        files = [path]
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file() and _may_ask(p))
        if not files:
            raise InputError(f"{name}: there is no Bundle, CDS Hooks request or .ndjson file in it")
        for file in files:
            items += _in_file(file)
    return items


_LINES = (".ndjson", ".jsonl")


class _Head(msgspec.Struct):
    resourceType: Any = None
    hook: Any = None
    context: Any = None


def _may_ask(path: Path) -> bool:
    """Whether a file found in a folder can be judged; other files are skipped."""
    kind = path.suffix.lower()
    if kind in _LINES or (kind == ".yaml" and FOLDER in (path.parent.name, path.parent.parent.name)):
        return True
    if kind != ".json":
        return False
    try:
        head = msgspec.json.decode(path.read_bytes(), type=_Head)
    except msgspec.ValidationError:
        return False  # JSON of another kind
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return True  # to be named as unreadable
    return head.resourceType == "Bundle" or (head.hook is not None and head.context is not None)


def _in_file(path: Path) -> Iterator[Item]:
    try:
        if path.suffix in (".yaml", ".yml"):
            yield from _days(scenario_in(path))
        elif path.suffix.lower() in _LINES:
            starts = _starts(path)
            for number, start in enumerate(starts, start=1):
                yield Item(f"{path}:{number}", lambda side, start=start: _line(path, start))  # type: ignore[misc]
        else:
            path.stat()
            yield Item(str(path), lambda side: path.read_bytes())
    except Fault as fault:
        raise InputError(str(fault)) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _starts(path: Path) -> list[int]:
    """Where each line that is not empty begins, so that thousands of charts are not kept in memory."""
    starts, at = [], 0
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                starts.append(at)
            at += len(line)
    return starts


def _line(path: Path, start: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.readline()


def _days(scenario: Any) -> Iterator[Item]:
    for check in scenario.checks:

        def body(side: Side, check: Any = check) -> bytes:
            try:
                return body_of(check, side.engine(check.scenario.shape.protocol).knowledge)[0]
            except Fault as fault:
                raise InputError(str(fault)) from None

        try:
            yield Item(check.name, body, check.moment, scenario.shape.protocol)
        except Unwritten as wrong:
            raise InputError(str(check.fault(str(wrong)))) from None


def compare(items: Sequence[Item], old: Side, new: Side, at: datetime | None) -> Iterator[Difference | tuple[str, str]]:
    """Each item judged by both: what differs, or its name and why it cannot be judged. ``at`` None: its newest date.

    Raises:
        NoSide: the rules of a side cannot be used. EngineFault: an engine failed.
    """
    for item in items:
        try:
            body = item.body(new)
            request = read_request(body)
            now = item.moment or at or newest_date(request)
            if now is None:
                raise InputError("nothing in it has a date, so there is no latest one")
            before = _shown(request, old.engine(item.protocol), now)
            after = _shown(read_request(body), new.engine(item.protocol), now)
        except InputError as error:
            yield item.name, str(error)
            continue
        except OSError as error:
            yield item.name, f"cannot be read ({error.strerror})"
            continue
        yield _difference(item.name, before, after)


def _difference(name: str, before: Shown, after: Shown) -> Difference:
    """What differs card by card and, if nothing does, in how the cards are merged and ordered."""
    changed = [
        Changed(rule, parts)
        for rule, card in after.by_rule.items()
        if rule in before.by_rule and (parts := _parts(before.by_rule[rule], card))
    ]
    found = Difference(
        name,
        {rule: card["summary"] for rule, card in after.by_rule.items() if rule not in before.by_rule},
        {rule: card["summary"] for rule, card in before.by_rule.items() if rule not in after.by_rule},
        changed,
    )
    if not found and before.order != after.order:
        changed.append(
            Changed("(the order of cards)", {"summary": (" / ".join(before.order), " / ".join(after.order))})
        )
    return found


@dataclass(frozen=True)
class Shown:
    """The card of each rule that speaks, before cards are merged or folded; and the summaries of those that are shown."""

    by_rule: dict[str, dict[str, Any]]
    order: tuple[str, ...]


def _shown(request: Request, engine: CheckedEngine, now: datetime) -> Shown:
    """What a side shows. The protocol's title, which is on every card, is left out here and reported once."""
    advice = advise(request, engine, now, make_id=lambda: "")
    title = engine.knowledge.protocol.title
    by_rule = {
        rule: card | {"detail": card["detail"].replace(f"Protocol: {title}.", "Protocol.")}
        for rule, card in advice.by_rule.items()
    }
    return Shown(by_rule, tuple(card["summary"] for card in advice.cards))


def _parts(old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        part: (old.get(part), new.get(part))
        for part in PARTS
        if json.dumps(old.get(part), default=str) != json.dumps(new.get(part), default=str)
    }
