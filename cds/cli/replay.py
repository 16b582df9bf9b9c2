"""``sirolimus-cds replay``: what other rules would have said of the patients on record."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import msgspec

from cds.authoring.sides import NoSide, Side, side
from cds.cli.common import FAULT, Rules, stop, watched
from cds.cli.kept import at, moment_of, reading, records_options, since_option, site_rules
from cds.engine import EngineFault
from cds.knowledge.load import shipped_rules
from cds.records.find import Stored, Wanted, wanted
from cds.records.replay import Change, Replayed, Served, Told, Unanswerable, replay

_ON = ("any", "gained", "lost", "changed", "critical", "unanswered")


@dataclass
class _Found:
    """The results for all decisions; ``unanswered``: by reason, how many could not be judged again."""

    judged: int = 0
    differ: list[Replayed] = field(default_factory=list)
    unanswered: Counter[str] = field(default_factory=Counter)

    def by_rule(self) -> dict[str, dict[str, int]]:
        """For each rule, in how many decisions its card is gained, lost or changed."""
        kinds = ("gained", "lost", "changed")
        counts = {kind: Counter(rule for each in self.differ for rule in getattr(each, kind)) for kind in kinds}
        return {rule: {kind: counts[kind][rule] for kind in kinds} for rule in sorted(set().union(*counts.values()))}

    def fails_on(self, what: str) -> bool:
        """Whether something of that kind was found, or no decision was judged."""
        if not self.judged:
            return True
        if what == "unanswered":
            return bool(self.unanswered)
        if what in ("gained", "lost", "changed"):
            return any(getattr(each, what) for each in self.differ)
        return any(what == "any" or _is_critical(each) for each in self.differ)


def _is_critical(each: Replayed) -> bool:
    pairs = (told for pair in each.changed.values() for told in pair)
    return any(told.indicator == "critical" for told in (*each.gained.values(), *each.lost.values(), *pairs))


@click.command("replay")
@click.option(
    "--rules",
    "new",
    metavar="NEW",
    help="The rules to judge by: PLACE[+OVERLAY...][@PROTOCOL] (default: those of the settings, or the shipped ones).",
)
@click.option(
    "--was", metavar="OLD", help="The rules of the record, so named; needed where nothing but facts was kept."
)
@click.option(
    "--fail-on",
    "fail_on",
    type=click.Choice(_ON),
    multiple=True,
    help="End with code 1 when there is such a thing. May be repeated.",
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@since_option
@records_options
def command(
    records: str | None,
    config: str | None,
    since: str,
    new: str | None,
    was: str | None,
    fail_on: tuple[str, ...],
    form: str,
) -> None:
    """Judge recorded patients by other rules, and print who would gain, lose or see another card.

    PLACE is a rules folder or a git commit, as for 'diff'. Each patient is judged as of the moment of the record. From the reduced
    input everything is judged anew; from facts alone only changes that are made of comparisons, and only with --was. What
    cannot be judged anew is counted, with the reason.

    The exit code is 0, or 1 where --fail-on says so or nothing could be judged for it, or 70 where the rules and the program of the record say something else today
    than they did: that is a fault of this program.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with reading(records, config) as connection:
                decisions = list(wanted(connection, Wanted(since=moment_of(since))))
            after = side(new or _site(config), Path(folder))
            before = side(was, Path(folder)) if was else None
            found = _replayed(decisions, after, before)
        except NoSide as error:
            stop(str(error))
        except EngineFault as error:
            stop(f"the rule engine failed: {error}", FAULT)
        _report(found, after, form)
    if faults := sum(each.is_fault for each in found.differ):
        stop(
            f"{faults} decisions come out otherwise by the rules and the program that made them; please report it",
            FAULT,
        )
    sys.exit(int(any(found.fails_on(each) for each in fail_on)))


def _site(config: str | None) -> str:
    """The rules of the service's settings, else the shipped ones, in the notation for a side."""
    rules = site_rules(Rules(None, "", ()), config)
    place = "+".join([rules.folder or str(shipped_rules()), *rules.overlays])
    return f"{place}@{rules.protocol}" if rules.protocol else place


def _replayed(decisions: list[Stored], after: Side, before: Side | None) -> _Found:
    engine = after.engine()
    change = Change(before.engine().knowledge, engine.knowledge) if before is not None else None
    found, served = _Found(), Served(engine)
    for each in watched("decisions", decisions):
        try:
            one = replay(each, served, change)
        except Unanswerable as why:
            found.unanswered[str(why)] += 1
            continue
        found.judged += 1
        if one:
            found.differ.append(one)
    return found


def _report(found: _Found, after: Side, form: str) -> None:
    if form == "json":
        content = {
            "rules": after.name,
            "knowledge": after.engine().knowledge.hash,
            "judged": found.judged,
            "differ": len(found.differ),
            "unanswered": dict(found.unanswered),
            "byRule": found.by_rule(),
            "decisions": [_as_json(each) for each in found.differ],
        }
        click.echo(msgspec.json.format(msgspec.json.encode(content)).decode())
        return
    for each in found.differ:
        click.echo("\n".join(_lines(each)))
    if found.differ:
        click.echo(f"\n{'rule':<44} gained   lost changed")
        for rule, counts in found.by_rule().items():
            click.echo(f"{rule:<44} {counts['gained']:>6} {counts['lost']:>6} {counts['changed']:>7}")
    same = "no card differs" if not found.differ else f"{len(found.differ)} differ"
    click.echo(f"{found.judged} decisions judged again: {same}" if found.judged else "no decision was judged again")
    for why, number in found.unanswered.most_common():
        click.echo(f"{number} could not be judged again: {why}")


def _as_json(each: Replayed) -> dict[str, Any]:
    return {
        "decision": each.decision.id,
        "at": at(each.decision.at),
        "gained": each.gained,
        "lost": each.lost,
        "changed": {rule: {"old": old, "new": now} for rule, (old, now) in each.changed.items()},
        "fault": each.is_fault,
    }


def _lines(each: Replayed) -> list[str]:
    head = f"{each.decision.id} of {at(each.decision.at)}, {each.decision.hook}"
    lines = [head + (" (FAULT)" if each.is_fault else "")]
    lines += [f"  + {rule}: {_words(told)}" for rule, told in each.gained.items()]
    lines += [f"  - {rule}: {_words(told)}" for rule, told in each.lost.items()]
    for rule, (old, now) in each.changed.items():
        said = f"{_words(old)} -> {_words(now)}" if _words(old) != _words(now) else "other words or buttons"
        lines.append(f"  ~ {rule}: {said}")
    return lines


def _words(told: Told) -> str:
    return f"{told.indicator}: {told.summary}" if told.summary else told.indicator
