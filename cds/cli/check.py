"""``sirolimus-cds check``: is a rules folder sound?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from cds.cli.common import FAULT, stop, watched
from cds.engine import EngineFault
from cds.knowledge.load import shipped_rules

if TYPE_CHECKING:
    from cds.authoring.check import Report
    from cds.knowledge.files import Folder
    from cds.knowledge.tree import Fault


@click.command("check")
@click.argument("folder", required=False)
@click.option(
    "--overlay", "overlays", multiple=True, metavar="FOLDER", help="A folder that lies over it. May be repeated."
)
@click.option(
    "--release",
    is_flag=True,
    help="Report what no one has reviewed for 12 months as a fault instead of a remark; for releases.",
)
@click.option(
    "--recalled",
    "only_recalled",
    is_flag=True,
    help="List what rests on memory, by source, with the sentence to look for there.",
)
@click.option("--require-signed", is_flag=True, help="Every rule must be signed as it is now, under the protocol.")
@click.option(
    "--signers",
    metavar="FILE",
    help="OpenSSH's allowed signers: every reviews.yaml must be signed by one of their keys.",
)
@click.option("--protocol", default="", metavar="NAME", help="For --require-signed: the protocol that is in force.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(
    folder: str | None,
    overlays: tuple[str, ...],
    release: bool,
    only_recalled: bool,
    require_signed: bool,
    signers: str | None,
    protocol: str,
    form: str,
) -> None:
    """Read every rule in FOLDER (default: the shipped rules), run its cases and try its mutants.

    Each case and scenario is judged under the protocol that it names, else under the default one. Then every condition of a
    rule, and every number of definitions and protocols, is changed a little, to see whether a case or scenario notices.

    All faults are printed at once with file and line; the exit code is 1 if there are any.
    """
    from cds.authoring.check import Engines, check_folder  # pydantic and ruamel: only authors need them
    from cds.authoring.evidence import not_looked_at
    from cds.authoring.sign import unsigned
    from cds.knowledge.read import read_folder

    path = Path(folder) if folder else shipped_rules()
    above = [Path(each) for each in overlays]
    for each in (path, *above):
        if not each.is_dir():
            stop(f"{each}: is not a folder")
    if only_recalled:
        _list_recalled(Engines(path, above).every(), form)
    try:
        report = check_folder(path, above, watched)
    except EngineFault as error:
        stop(f"the rule engine failed: {error}", FAULT)
    old = not_looked_at(report.read, _today())
    report.faults += old if release else []
    if require_signed or signers:
        read = read_folder(path, protocol, above, Path(signers) if signers else None)
        if read.knowledge is None:
            report.faults += read.faults
        elif require_signed:
            report.faults += unsigned(read)
    if form == "json":
        remarks = [{"file": f.path, "line": f.line, "message": f.message} for f in old]
        click.echo(json.dumps(report.as_json() | {"notLookedAt": remarks}, indent=2, ensure_ascii=False))
    else:
        _print(report, [] if release else old)
    sys.exit(1 if report.faults else 0)


def _today() -> date:
    return datetime.now(UTC).date()


def _list_recalled(every: Sequence[Folder], form: str) -> NoReturn:
    """Print the worklist of whoever reads sources, and end."""
    from cds.authoring.evidence import recalled

    if wrong := list(dict.fromkeys(str(fault) for read in every for fault in read.faults)):
        stop("\n".join(wrong))
    found = recalled(every)
    if form == "json":
        click.echo(json.dumps([each.as_json() for each in found], indent=2, ensure_ascii=False))
        sys.exit(0)
    for each in found:
        click.echo(f"{each.citation}" + (f"\n  {each.url}" if each.url else ""))
        click.echo("\n".join(f"  - {said} ({where})" for where, said in each.sentences) + "\n")
    click.echo(f"{sum(len(each.sentences) for each in found)} sentences to look for in {len(found)} sources")
    sys.exit(0)


def _print(report: Report, old: Sequence[Fault]) -> None:
    from cds.authoring.coverage import line_of

    for each in report.by_rule:
        click.echo(line_of(each))
    if report.by_rule:
        click.echo("(hook fires+rests: in how many cases the rule fires, and is silent, on that hook)")
    for one, other in report.together:
        click.echo(f"{one} and {other} always speak together")
    if report.unused_facts:
        click.echo(f"facts that no rule uses: {', '.join(report.unused_facts)}")
    for proved in report.properties:
        click.echo(str(proved))
    if old:
        click.echo(f"{len(old)} items that no one has reviewed for 12 months, which --release would refuse; the first:")
        click.echo(f"  {old[0]}")
    for fault in report.faults:
        click.echo(str(fault))
    pinned = sum(not list(pin.faults) for pin in report.pins)
    if report.pins:
        click.echo(f"{len(report.pins)} numbers of definitions and protocols, {pinned} pinned on both sides")
    counted = f"{report.rules} rules, {report.cases} cases, {report.days} scenario days, {report.mutants} mutants"
    click.echo(f"{counted}: " + (f"{len(report.faults)} faults" if report.faults else "sound"))
