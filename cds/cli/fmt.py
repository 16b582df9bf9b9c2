"""``sirolimus-cds fmt``: rule files in their normal form."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cds.cli.common import USAGE, shown_name, stop


@click.command("fmt")
@click.argument("names", nargs=-1, required=True, metavar="FILE|FOLDER...")
@click.option(
    "--check", "only", is_flag=True, help="Change nothing; the exit code is 1 if a file is not in its normal form."
)
@click.option("--upgrade", is_flag=True, help="First rewrite what an earlier version wrote in other words.")
def command(names: tuple[str, ...], only: bool, upgrade: bool) -> None:
    """Put the files of a rules folder in their normal form: the order of keys, the layout, a sentence on one line.

    Comments are kept and what a file says stays the same. A file that cannot be read is named and left alone. With
    --upgrade, facts and keys that are gone are written as this version reads them; 'check' tells what is left to do by hand.
    """
    from cds.authoring.normal import kind_of, normal  # pydantic and ruamel: only authors need them
    from cds.authoring.upgrade import upgraded
    from cds.authoring.written import replace
    from cds.knowledge.tree import Fault

    files: list[Path] = []
    for name in names:
        path = Path(name)
        found = sorted(each for each in path.rglob("*.yaml") if kind_of(each)) if path.is_dir() else [path]
        if path.is_dir() and not found:
            stop(f"{shown_name(name)}: there is no rule file in it")
        files += found
    changed = wrong = 0
    for path in files:
        try:
            text = normal(path, str(path), upgraded if upgrade else None)
        except Fault as fault:
            click.echo(str(fault), err=True)
            wrong += 1
            continue
        if text == path.read_text(encoding="utf-8"):
            continue
        changed += 1
        click.echo(f"{path}: {'is not in its normal form' if only else 'written'}")
        if not only:
            try:
                replace(path, text)
            except OSError as error:
                stop(f"{path}: cannot be written ({error.strerror})")
    if wrong:
        sys.exit(USAGE)
    sys.exit(1 if only and changed else 0)
