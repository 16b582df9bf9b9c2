"""``sirolimus-cds scenario``: a patient on a day line, judged, or written as FHIR."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cds.cli.common import Rules, rules_options, stop
from cds.engine import EngineFault
from cds.knowledge.load import shipped_rules


@click.command("scenario")
@click.argument("file")
@click.option("--day", metavar="DAY", help="Only this day, as the scenario writes it.")
@click.option(
    "--bundle", is_flag=True, help="Print a day as FHIR (on an order hook as a CDS Hooks request) in place of judging."
)
@rules_options
def command(rules: Rules, file: str, day: str | None, bundle: bool) -> None:
    """Judge every day of the scenario in FILE, or print one day as FHIR.

    The exit code is 1 where a day brings other cards than the scenario says.
    """
    from cds.authoring.check import Engines  # pydantic and ruamel: only authors need them
    from cds.authoring.scenarios import body_of, run_check, scenario_in
    from cds.knowledge.tree import Fault

    engines = Engines(Path(rules.folder) if rules.folder else shipped_rules(), [Path(each) for each in rules.overlays])
    try:
        scenario = scenario_in(Path(file))
        checks = [check for check in scenario.checks if day in (None, check.shape.day)]
        if not checks:
            stop(f"the scenario looks at no day {day}; it looks at " + ", ".join(c.shape.day for c in scenario.checks))
        engine = engines.of(rules.protocol or scenario.shape.protocol, checks[0].fault)
        if bundle:
            if len(checks) > 1:
                stop("choose a day with --day: " + ", ".join(dict.fromkeys(check.shape.day for check in checks)))
            body, moment = body_of(checks[0], engine.knowledge)
            click.echo(f"sirolimus-cds: judge it with --at {moment.isoformat()}", err=True)
            click.echo(body)
            return
        faults = 0
        for check in checks:
            fault = run_check(check, engine)
            faults += fault is not None
            click.echo(str(fault) if fault else f"day {check.shape.day}, {check.shape.hook}: as expected")
    except Fault as fault:
        stop(str(fault))
    except EngineFault as error:
        stop(f"the rule engine failed: {error}", 70)
    sys.exit(1 if faults else 0)
