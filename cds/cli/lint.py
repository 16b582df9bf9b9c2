"""``sirolimus-cds lint``: what in a file is read, is not used, is ignored, or cannot be read."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import click
import msgspec

from cds.cards.text import clean
from cds.chart.body import InputError, places
from cds.chart.request import Request
from cds.chart.survey import VERDICTS, Finding, survey
from cds.cli.common import (
    FAULT,
    USAGE,
    Asked,
    judging_options,
    load_rules,
    moment_for,
    parse_at,
    read_question,
    shown_name,
    stop,
)
from cds.cli.show import wrapped

UNREADABLE = 1
_COLOURS = {"cannot be read": "red", "not used": "yellow", "read": "green", "ignored": None}
_encode = msgspec.json.Encoder().encode


@click.command("lint")
@judging_options
def command(asked: Asked) -> None:
    """Say what the rules read in FHIR R4 Bundles or CDS Hooks requests, what they ignore, and what they cannot read.

    Every line has the FHIR path of the resource or element. Exit code 1: something that the rules need is
    there and cannot be read.
    """
    moment = parse_at(asked.at)
    knowledge = load_rules(asked.rules)
    code = 0
    for name in asked.files:
        try:
            request = read_question(name, asked.hook, asked.patient, whole=False)
            findings = survey(request, knowledge, moment_for(moment, request))
        except InputError as error:
            click.echo(_error(shown_name(name), str(error), asked.form))
            code = USAGE
            continue
        except Exception as error:  # no traceback, which may hold the patient's data
            stop(f"{shown_name(name)}: an internal fault ({type(error).__name__})", FAULT)
        if any(finding.verdict == "cannot be read" for finding in findings) or request.incomplete:
            code = code or UNREADABLE
        click.echo(_json(name, request, findings) if asked.form == "json" else _text(name, request, findings))
    sys.exit(code)


def _error(name: str, message: str, form: str) -> str:
    if form == "json":
        return _encode({"file": name, "error": message}).decode()
    return f"== {name}\nsirolimus-cds: {message}\n"


def _missing(request: Request) -> list[str]:
    return [
        *(f"{kind} was not supplied" for kind in request.not_supplied),
        *(f"{kind} is incomplete: {why}" for kind, why in request.incomplete),
    ]


def _json(name: str, request: Request, findings: list[Finding]) -> str:
    said: dict[str, Any] = {
        "file": shown_name(name),
        "missing": _missing(request),
        "findings": [
            {"path": f.place, "reference": f.reference, "verdict": f.verdict, "says": f.says} for f in findings
        ],
    }
    return _encode(said).decode()


def _text(name: str, request: Request, findings: list[Finding]) -> str:
    lines = [
        click.style(
            f"== {shown_name(name)}: {sum(1 for _ in places(request.message))} resources",
            bold=True,
        )
    ]
    lines += [click.style(f"  missing: {text}", fg="yellow") for text in _missing(request)]
    for verdict in VERDICTS:
        of_kind = [finding for finding in findings if finding.verdict == verdict]
        if of_kind:
            lines.append(click.style(f"{verdict} ({len(of_kind)})", fg=_COLOURS[verdict], bold=True))
            lines += _counted(of_kind) if verdict == "ignored" else _listed(of_kind)
    return "\n".join(lines) + "\n"


def _listed(findings: list[Finding]) -> list[str]:
    return [wrapped(f"{clean(f.place)} ({clean(f.reference)}): {clean(f.says)}", "  ", "      ") for f in findings]


def _counted(findings: list[Finding]) -> list[str]:
    """Most of a chart is ignored: one line per reason, with the first place."""
    first: dict[str, str] = {}
    for finding in findings:
        first.setdefault(finding.says, finding.place)
    counts = Counter(finding.says for finding in findings)
    return [
        wrapped(f"{number} x {clean(says)}; first at {clean(first[says])}", "  ", "      ")
        for says, number in counts.most_common()
    ]
