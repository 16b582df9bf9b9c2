"""``sirolimus-cds check``: is a rules folder sound?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cds.cli.common import FAULT, stop
from cds.engine import EngineFault
from cds.knowledge.load import shipped_rules


@click.command("check")
@click.argument("folder", required=False)
@click.option(
    "--overlay", "overlays", multiple=True, metavar="FOLDER", help="A folder that lies over it. May be repeated."
)
def command(folder: str | None, overlays: tuple[str, ...]) -> None:
    """Read every rule in FOLDER (default: the shipped rules), run its cases and try its mutants.

    Each case and scenario is judged under the protocol that it names, else under the default one.

    All faults are printed at once with file and line; the exit code is 1 if there are any.
    """
    from cds.authoring.check import check_folder  # pydantic and ruamel: only authors need them

    path = Path(folder) if folder else shipped_rules()
    above = [Path(each) for each in overlays]
    for each in (path, *above):
        if not each.is_dir():
            stop(f"{each}: is not a folder")
    try:
        report = check_folder(path, above)
    except EngineFault as error:
        stop(f"the rule engine failed: {error}", FAULT)
    for fault in report.faults:
        click.echo(str(fault))
    counted = f"{report.rules} rules, {report.cases} cases, {report.days} scenario days, {report.mutants} mutants"
    click.echo(f"{counted}: " + (f"{len(report.faults)} faults" if report.faults else "sound"))
    if report.faults:
        sys.exit(1)
