"""``sirolimus-cds export``: the value sets as FHIR R4."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cds.cli.common import Rules, rules_options, stop
from cds.knowledge.load import shipped_rules


@click.command("export")
@click.argument("into", metavar="[FOLDER]", required=False)
@rules_options
def command(rules: Rules, into: str | None) -> None:
    """Write what the rules mean by a code as FHIR R4: a ValueSet a value set, and the Library that holds them.

    With FOLDER each resource is a file in it, such as ValueSet-strong-inhibitor.json. Without, one transaction Bundle is
    printed that puts them all on a FHIR server.
    """
    from cds.authoring.export import bundle, resources  # pydantic and fhir.resources: only authors need them
    from cds.knowledge.read import read_folder

    folder = Path(rules.folder) if rules.folder else shipped_rules()
    read = read_folder(folder, rules.protocol, [Path(each) for each in rules.overlays])
    if read.knowledge is None:
        stop("the rules cannot be used; see 'sirolimus-cds check'\n" + "\n".join(map(str, read.faults)))
    found = resources(read)
    if into is None:
        click.echo(json.dumps(bundle(found), indent=2, ensure_ascii=False))
        return
    target = Path(into)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for each in found:
            path = target / f"{each['resourceType']}-{each['id']}.json"
            path.write_text(json.dumps(each, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        stop(f"{target}: cannot be written ({error.strerror})")
    click.echo(f"{len(found)} resources in {target}")
