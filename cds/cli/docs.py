"""``sirolimus-cds docs``: the rules as a page to read and file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cds.cli.common import Rules, rules_options
from cds.knowledge.load import shipped_rules


@click.command("docs")
@rules_options
def command(rules: Rules) -> None:
    """Print every rule as a page in Markdown: when it speaks, its card, its sources and its cases."""
    from cds.authoring.page import page  # pydantic and ruamel: only authors need them
    from cds.knowledge.read import read_folder

    folder = Path(rules.folder) if rules.folder else shipped_rules()
    read = read_folder(folder, rules.protocol, [Path(each) for each in rules.overlays])
    if read.knowledge is None:
        for fault in read.faults:
            click.echo(str(fault), err=True)
        sys.exit(1)
    click.echo(page(read), nl=False)
