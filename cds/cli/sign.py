"""``sirolimus-cds sign``: a clinician signs rules as they are now."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from cds.cli.common import FAULT, Rules, rules_options, stop, watched
from cds.engine import EngineFault
from cds.knowledge.load import shipped_rules
from cds.knowledge.vouched import NAMESPACE


@click.command("sign")
@click.argument("names", nargs=-1, metavar="RULE...")
@click.option("--all", "everything", is_flag=True, help="Every rule that can be signed and is not.")
@click.option("--by", required=True, metavar="NAME", help="Who signs: the name that every card of the rule will show.")
@click.option("--role", required=True, metavar="ROLE", help="As what: consultant haematologist, for example.")
@click.option("--on", metavar="DATE", help="The day of the signature, as 2026-01-31 (default: today).")
@rules_options
def command(rules: Rules, names: tuple[str, ...], everything: bool, by: str, role: str, on: str | None) -> None:
    """Sign RULEs: record in reviews.yaml who signs them as they are now, under the protocol in force.

    The signature is written into the topmost folder: the last --overlay, else the rules folder. It covers the rule,
    its sources, its protocol, and the definitions and value sets it rests on; when one of them changes, the rule is a draft
    again. Comments, layout and cases may change. Nothing is signed unless 'check' finds the rules sound.
    """
    from cds.authoring.check import check_folder
    from cds.authoring.sign import Unsignable, recalled, sign, unfit_name
    from cds.knowledge.read import read_folder

    if everything == bool(names):
        stop("name the rules to sign, or say --all")
    for option, text in (("--by", by), ("--role", role)):
        if wrong := unfit_name(text):
            stop(f"{option}: {wrong}")
    try:
        day = date.fromisoformat(on) if on else datetime.now().astimezone().date()
        if not 2000 <= day.year < 2100:
            raise ValueError("of another century")
    except ValueError:
        stop(f"--on: '{on}' is not a date; write 2026-01-31")
    folder = Path(rules.folder) if rules.folder else shipped_rules()
    overlays = [Path(each) for each in rules.overlays]
    read = read_folder(folder, rules.protocol, overlays)
    if read.knowledge is None:
        stop("the rules cannot be signed; see 'sirolimus-cds check'\n" + "\n".join(map(str, read.faults)))
    if everything:
        drafts = [file for file in read.files if file.rule.status == "draft"]
        left = [file.rule.id for file in drafts if recalled(file, read)]
        names = tuple(file.rule.id for file in drafts if file.rule.id not in left)
        if left:
            click.echo(f"sirolimus-cds: left out, for they rest on recalled knowledge: {', '.join(left)}", err=True)
        if not names:
            stop("there is nothing to sign")
    into = [folder, *overlays][-1]
    try:
        report = check_folder(folder, overlays, watched)
        if report.faults:
            stop(
                "the rules are not sound, so they cannot be signed; see 'sirolimus-cds check'\n" + str(report.faults[0])
            )
        lines = sign(read, into, names, by.strip(), role.strip(), day)
    except Unsignable as unsignable:
        stop(str(unsignable))
    except OSError as error:
        stop(
            f"{into.name}/reviews.yaml cannot be written ({error.strerror}); sign into a folder of your own: --overlay"
        )
    except EngineFault as error:
        stop(f"the rule engine failed: {error}", FAULT)
    click.echo("\n".join(lines))
    written = into / "reviews.yaml"
    if written.with_name("reviews.yaml.sig").exists():
        again = f"ssh-keygen -Y sign -f KEY -n {NAMESPACE} '{written}'"
        click.echo(f"sirolimus-cds: the file has changed, so it must be signed with the key again: {again}", err=True)
