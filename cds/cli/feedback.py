"""``sirolimus-cds feedback``: what clinicians did with the cards."""

from __future__ import annotations

import csv
import sys
from typing import Any

import click
import msgspec

from cds.cards.text import clean
from cds.cli.kept import at, moment_of, reading, records_options, since_option
from cds.cli.show import wrapped
from cds.records.report import FeedbackReport, RuleFeedback, feedback_report

_COLUMNS = ("shown", "accepted", "overridden", "unanswered")


@click.group("feedback")
def command() -> None:
    """What became of the cards, from the records."""


@command.command("report")
@click.option("--format", "form", type=click.Choice(("text", "csv", "json")), default="text", show_default=True)
@since_option
@records_options
def report(records: str | None, config: str | None, since: str, form: str) -> None:
    """Print by rule and version how often its card was shown, accepted, set aside and never answered, and every comment.

    A card of several rules counts for the one that leads it. Intervals are of 95 %, of the cards that were shown.
    """
    with reading(records, config) as connection:
        found = feedback_report(connection, moment_of(since))
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    elif form == "csv":
        _csv(found)
    else:
        _print(found)


def _csv(found: FeedbackReport) -> None:
    table = csv.writer(sys.stdout)
    table.writerow(
        [
            "rule",
            "version",
            *_COLUMNS,
            "accepted_low",
            "accepted_high",
            "overridden_low",
            "overridden_high",
            "median_seconds",
        ]
    )
    for each in found.rules:
        table.writerow([*_row(each), *each.accepted_interval, *each.overridden_interval, each.median_seconds])


def _row(each: RuleFeedback) -> list[Any]:
    return [each.rule, each.version, each.shown, each.accepted, each.overridden, each.unanswered]


def _print(found: FeedbackReport) -> None:
    click.echo(
        f"{'rule':<36} {'version':<12} {'shown':>6} {'accepted':>20} {'overridden':>20} {'unanswered':>10}  median"
    )
    for each in found.rules:
        share = [
            f"{number} ({low:.0%} to {high:.0%})"
            for number, (low, high) in (
                (each.accepted, each.accepted_interval),
                (each.overridden, each.overridden_interval),
            )
        ]
        took = "" if each.median_seconds is None else f"{each.median_seconds:g} s"
        click.echo(
            f"{each.rule:<36} {each.version:<12} {each.shown:>6} {share[0]:>20} {share[1]:>20} {each.unanswered:>10}  {took}"
        )
        for reason, number in each.reasons.items():
            click.echo(wrapped(f"{number} x {clean(reason)}", "    ", "      "))
    for comment in found.comments:
        who = comment.rule or "a card that is not known here"
        click.echo(wrapped(f'{at(comment.at)}  {who}: {clean(comment.reason)} "{clean(comment.text)}"', "", "  "))
    if found.unknown:
        click.echo(f"{found.unknown} reports are on cards that these records do not know; they count for no rule")
    if not found.rules:
        click.echo("no card was shown since then")
