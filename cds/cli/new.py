"""``sirolimus-cds new``: a new rule to fill in."""

from __future__ import annotations

import re
from pathlib import Path

import click

from cds.cli.common import stop
from cds.knowledge.load import shipped_rules


@click.command("new")
@click.argument("name", metavar="SUBJECT/NAME")
@click.option("--rules", "rules", metavar="FOLDER", help="The rules folder (default: the shipped one).")
@click.option("--overlay", metavar="FOLDER", help="Write it into this folder, which lies over the rules.")
def command(name: str, rules: str | None, overlay: str | None) -> None:
    """Write a new rule, such as trough/my-rule, with its cases to fill.

    What is left to write is marked TODO; 'check' names each such place until it is filled.
    """
    from cds.authoring.skeleton import skeleton
    from cds.knowledge.read import SUBJECTS

    base = Path(rules) if rules else shipped_rules()
    folder = Path(overlay) if overlay else base
    subject, _, rule = name.partition("/")
    if subject not in SUBJECTS or not rule:
        stop(f"'{name}': write SUBJECT/NAME, where SUBJECT is one of {', '.join(SUBJECTS)}")
    if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", rule):
        stop(f"'{rule}': a rule's name is small words joined by hyphens, as in trough-low")
    for each in {base, folder}:
        taken = next(iter(each.glob(f"*/{rule}.yaml")), None)
        if taken is not None:
            stop(f"there is a rule '{rule}' already: {taken}")
    path = folder / subject / f"{rule}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(skeleton(rule), encoding="utf-8")
    except OSError as error:
        stop(f"{path}: cannot be written ({error.strerror}); name a folder of your own with --overlay")
    over = f" --overlay '{folder}'" if overlay else ""
    click.echo(f"{path}: fill what is marked TODO, then run sirolimus-cds check{over}")
