"""``sirolimus-cds explain``: the facts, and for every rule why it fires or is silent."""

from __future__ import annotations

import click
import msgspec

from cds.advise import advise
from cds.chart.body import InputError
from cds.cli.common import (
    FAULT,
    Asked,
    judging_options,
    make_engine,
    moment_for,
    parse_at,
    read_question,
    shown_name,
    stop,
)
from cds.cli.show import explained_text, facts_json, rules_json
from cds.engine import EngineFault

_encode = msgspec.json.Encoder(decimal_format="number").encode


@click.command("explain")
@judging_options
def command(asked: Asked) -> None:
    """Print every fact with its source, or why it is absent, and every rule's conditions with their truth."""
    moment = parse_at(asked.at)
    engine = make_engine(asked.rules)
    for name in asked.files:
        try:
            request = read_question(name, asked.hook, asked.patient)
            advice = advise(request, engine, moment_for(moment, request), explain=True)
        except InputError as error:
            stop(f"{shown_name(name)}: {error}")
        except EngineFault as fault:
            stop(f"{shown_name(name)}: no advice, the rule engine failed: {fault}", FAULT)
        except Exception as error:  # no traceback, which may hold the patient's data
            stop(f"{shown_name(name)}: no advice, an internal fault ({type(error).__name__})", FAULT)
        if asked.form == "json":
            said = {
                "file": shown_name(name),
                "facts": facts_json(advice.situation),
                "rules": rules_json(advice.explained),
            }
            click.echo(_encode(said))
        else:
            head = f"== {shown_name(name)}\n" if len(asked.files) > 1 else ""
            click.echo(head + explained_text(advice.situation, advice.explained))
