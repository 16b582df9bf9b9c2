"""``sirolimus-cds evaluate``: files in, cards out."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec

from cds.advise import advise
from cds.chart.body import InputError
from cds.cli.common import (
    FAULT,
    USAGE,
    Asked,
    judging_options,
    make_engine,
    moment_for,
    parse_at,
    read_question,
    shown_name,
    stop,
)
from cds.cli.show import card_line, cards_text
from cds.engine import EngineFault

_encode = msgspec.json.Encoder(decimal_format="number").encode


@click.command("evaluate")
@click.option("-q", "--quiet", is_flag=True, help="A line for each card.")
@judging_options
def command(asked: Asked, quiet: bool) -> None:
    """Judge FHIR R4 Bundles or CDS Hooks requests and print the cards.

    FILE is a Bundle of any type, a CDS Hooks request, or '-' for standard input. With several files a
    bad one is reported and the rest go on.
    """
    moment = parse_at(asked.at)
    engine = make_engine(asked.rules)
    bad = False
    for name in asked.files:
        try:
            request = read_question(name, asked.hook, asked.patient)
            cards = advise(request, engine, moment_for(moment, request)).cards
        except InputError as error:
            if len(asked.files) == 1:
                stop(f"{shown_name(name)}: {error}")
            bad = True
            _print_error(shown_name(name), str(error), asked.form)
            continue
        except EngineFault as fault:
            stop(f"{shown_name(name)}: no advice, the rule engine failed: {fault}", FAULT)
        except Exception as error:  # no traceback, which may hold the patient's data
            stop(f"{shown_name(name)}: no advice, an internal fault ({type(error).__name__})", FAULT)
        if quiet and asked.form == "text":
            _print_lines(shown_name(name), cards, len(asked.files) > 1)
        else:
            _print(shown_name(name), cards, asked.form, len(asked.files) > 1)
    if bad:
        sys.exit(USAGE)


def _print(name: str, cards: list[dict[str, Any]], form: str, several: bool) -> None:
    if form == "json":
        click.echo(_encode({"file": name, "cards": cards} if several else {"cards": cards}))
        return
    if several:
        click.echo(click.style(f"== {name}", bold=True))
    click.echo(cards_text(cards) + ("\n" if several else ""))


def _print_lines(name: str, cards: list[dict[str, Any]], several: bool) -> None:
    for line in [card_line(card) for card in cards] or ["No cards."]:
        click.echo(f"{name}: {line}" if several else line)


def _print_error(name: str, message: str, form: str) -> None:
    if form == "json":
        click.echo(_encode({"file": name, "error": message}))
    else:
        click.echo(f"== {name}\nsirolimus-cds: {message}\n")
