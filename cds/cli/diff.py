"""``sirolimus-cds diff``: which patients would get other cards."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds.chart.body import InputError
from cds.cli.common import FAULT, USAGE, parse_at, stop, watched
from cds.engine import EngineFault

if TYPE_CHECKING:
    from cds.authoring.compare import Comparison, Difference
    from cds.authoring.proofs.differing import Differing
    from cds.authoring.sides import Side


_RANGE = re.compile(r"([^./][^:]*?)\.{2,3}([^./].*)")  # two git commits; ../rules is a path


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="[NEW]", required=False)
@click.argument("files", nargs=-1, metavar="[FILE...]")
@click.option(
    "--at", metavar="TIME", default="latest", help="Judge files as of this time (default: the newest date in each)."
)
@click.option(
    "--prove", is_flag=True, help="Say in which records the rules differ, decided over all of them and not by patients."
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(old: str, new: str | None, files: tuple[str, ...], at: str, prove: bool, form: str) -> None:
    """Judge patients by two sets of rules and print who gains, loses or sees another card.

    OLD and NEW are PLACE[+OVERLAY...][@PROTOCOL], where PLACE is a rules folder or a git commit: 'main HEAD', or in one word
    'main..HEAD'; 'rules rules+ours@our-hospital'. FILEs are Bundles, CDS Hooks requests, scenarios, .ndjson with one of the
    first two a line, or folders of them; without any, the scenarios of NEW are judged.

    With --prove no patient is judged: printed is where each rule says something else, in the words of the rule language, each
    time with a scenario, and what the proof does not reach: facts that are worked out with another number.

    The exit code is 0 if no card differs, 1 if one does, and 2 if something could not be read.
    """
    from cds.authoring.compare import Comparison, compare, items_of
    from cds.authoring.sides import NoSide, side

    if (two := _RANGE.fullmatch(old)) and not Path(old).is_dir():
        files = (*([new] if new is not None else []), *files)
        old, new = two[1], two[2]
    if not new:
        stop("name two sets of rules: OLD NEW, or OLD..NEW for two git commits")
    if prove:
        if files:
            stop("--prove judges no patients: name two sets of rules and no files")
        _prove(old, new, form)
    moment = parse_at(at)
    with tempfile.TemporaryDirectory() as folder:
        try:
            before, after = side(old, Path(folder)), side(new, Path(folder))
            items = items_of(files, after)
            if not items:
                raise InputError("there is nothing to judge in what was named")
            found = Comparison(len(items))
            before.engine(), after.engine()
            results = compare(items, before, after, moment)
            for _, result in zip(watched("patients", items), results, strict=True):
                if isinstance(result, tuple):
                    found.unreadable.append(result)
                elif result:
                    found.differences.append(result)
        except (NoSide, InputError) as error:
            stop(str(error))
        except EngineFault as error:
            stop(f"the rule engine failed: {error}", FAULT)
        if form == "json":
            click.echo(json.dumps(_as_json(found, before, after), indent=2, ensure_ascii=False))
        else:
            _print(found, before, after)
    for name, reason in found.unreadable:
        click.echo(f"sirolimus-cds: {name}: {reason}", err=True)
    sys.exit(USAGE if found.unreadable else 1 if found.differences else 0)


def _prove(old: str, new: str, form: str) -> None:
    """Print where two sets of rules differ, and end."""
    from cds.authoring.proofs.differing import differing
    from cds.authoring.sides import NoSide, side

    with tempfile.TemporaryDirectory() as folder:
        try:
            before, after = (side(each, Path(folder)).engine().knowledge for each in (old, new))
        except NoSide as error:
            stop(str(error))
        except EngineFault as error:
            stop(f"the rule engine failed: {error}", FAULT)
    found = differing(before, after)
    if form == "json":
        regions = [each.as_json() for each in found.regions]
        content = {
            "regions": regions,
            **{name: getattr(found, name) for name in ("yields", "following", "words", "facts", "data")},
        }
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        _print_proof(found)
    sys.exit(1 if found else 0)


def _print_proof(found: Differing) -> None:
    for each in found.regions:
        click.echo(f"{each.rule}: {each.was} -> {each.now} on {', '.join(each.hooks)}, where")
        click.echo("\n".join(f"  {where}" for where in each.where))
        click.echo("\n".join(f"    | {line}" for line in each.scenario.splitlines()) + "\n")
    for name, (was, now) in found.yields.items():
        click.echo(f"{name} gave way to {was}; it gives way to {now} now")
    for name, above in found.following.items():
        click.echo(f"{name} fires elsewhere, since it gives way to {', '.join(above) or 'rules that are no more'}")
    if found.words:
        click.echo(f"other words or buttons wherever they speak: {', '.join(found.words)}")
    for number, facts in found.facts.items():
        click.echo(f"not proved, since facts are worked out with another number: {number} ({', '.join(facts)})")
    if found.data:
        click.echo(f"not proved, since facts read other data: {', '.join(found.data)}")
    if not found:
        click.echo("the rules say the same of every record: proved")


def _as_json(found: Comparison, old: Side, new: Side) -> dict[str, Any]:
    return {
        "old": {"rules": old.name, "hash": old.engine().knowledge.hash},
        "new": {"rules": new.name, "hash": new.engine().knowledge.hash},
        "protocols": [old.engine().knowledge.protocol.title, new.engine().knowledge.protocol.title],
        "judged": found.items - len(found.unreadable),
        "differ": len(found.differences),
        "byRule": {
            rule: {"gained": gained, "lost": lost, "changed": changed}
            for rule, (gained, lost, changed) in found.by_rule().items()
        },
        "patients": [
            {
                "item": each.item,
                "gained": each.gained,
                "lost": each.lost,
                "changed": [
                    {"rule": one.rule, **{part: {"old": was, "new": now} for part, (was, now) in one.parts.items()}}
                    for one in each.changed
                ],
            }
            for each in found.differences
        ],
        "unreadable": [{"item": name, "reason": reason} for name, reason in found.unreadable],
    }


def _print(found: Comparison, old: Side, new: Side) -> None:
    was, now = (each.engine().knowledge.protocol.title for each in (old, new))
    if was != now:
        click.echo(f"Every card names its protocol: {was} -> {now}\n")
    for each in found.differences:
        click.echo(each.item)
        click.echo("\n".join(_lines(each)))
    if found.differences:
        click.echo(f"\n{'rule':<44} gained   lost changed")
        for rule, (gained, lost, changed) in found.by_rule().items():
            click.echo(f"{rule:<44} {gained:>6} {lost:>6} {changed:>7}")
    judged = found.items - len(found.unreadable)
    same = "no card differs" if not found.differences else f"{len(found.differences)} differ"
    click.echo(f"{judged} judged by both: {same}")


def _lines(each: Difference) -> list[str]:
    lines = [f"  + {rule}: {summary}" for rule, summary in each.gained.items()]
    lines += [f"  - {rule}: {summary}" for rule, summary in each.lost.items()]
    for one in each.changed:
        said = one.parts.get("summary") or one.parts.get("indicator")
        words = f": {said[0]} -> {said[1]}" if said else ""
        lines.append(f"  ~ {one.rule} ({', '.join(one.parts)}){words}")
    return lines
