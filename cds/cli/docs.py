"""``sirolimus-cds docs``: the rules as a page to read and sign, and what was tried of them as a page to file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cds.cli.common import FAULT, Rules, rules_options, stop, watched
from cds.engine import EngineFault
from cds.knowledge.load import shipped_rules


@click.command("docs")
@click.option("--proof", "tried", is_flag=True, help="Print what was tried of the rules in place of what they say.")
@rules_options
def command(rules: Rules, tried: bool) -> None:
    """Print every rule as a page in Markdown: when it speaks, its card, its sources and its cases.

    With --proof the page is about the cases, scenarios and small changes by which 'check' tries the rules.
    """
    from cds.authoring.check import check_folder  # pydantic and ruamel: only authors need them
    from cds.authoring.page import page
    from cds.authoring.proof import proof
    from cds.knowledge.read import read_folder

    folder, overlays = Path(rules.folder) if rules.folder else shipped_rules(), [Path(each) for each in rules.overlays]
    read = read_folder(folder, rules.protocol, overlays)
    if read.knowledge is None:
        for fault in read.faults:
            click.echo(str(fault), err=True)
        sys.exit(1)
    if not tried:
        click.echo(page(read), nl=False)
        return
    try:
        report = check_folder(folder, overlays, watched)
    except EngineFault as error:
        stop(f"the rule engine failed: {error}", FAULT)
    click.echo(proof(read, report), nl=False)
    sys.exit(1 if report.faults else 0)
