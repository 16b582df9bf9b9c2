"""``sirolimus-cds schema``: JSON Schemas of the rule files, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("schema")
@click.argument("kind", required=False)
@click.option("--all", "folder", metavar="FOLDER", help="Write every schema into FOLDER.")
def command(kind: str | None, folder: str | None) -> None:
    """Print the JSON Schema of a KIND of file: rule, protocol, valueset, scenario, definitions, schedule, sources or
    override-reasons. With a schema an editor completes keys and marks wrong ones; no network is needed."""
    from cds.authoring.schemas import KINDS, plain, schema
    from cds.cli.common import stop

    if (kind is None) == (folder is None) or (kind is not None and kind not in KINDS):
        stop("name one kind, or --all FOLDER: " + ", ".join(KINDS))
    for name in KINDS if folder else [str(kind)]:
        text = json.dumps(schema(name), indent=2, default=plain) + "\n"
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, f"{name}.schema.json").write_text(text, encoding="utf-8")
        else:
            click.echo(text, nl=False)
