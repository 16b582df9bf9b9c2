"""``sirolimus-cds report``: a patient's course as a page, or as a picture."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds import __version__
from cds.advise import Advice, advise
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
from cds.engine import EngineFault

if TYPE_CHECKING:
    from cds.timeline.picture import Form

_FORMS = (".html", ".svg", ".png", ".pdf")
_NEEDED = {"vl_convert": "vl-convert-python", "jinja2": "jinja2", "markdown_it": "markdown-it-py"}


@click.command("report")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="Where to: .html is the whole report; .svg, .png and .pdf the picture alone.",
)
@judging_options
def command(asked: Asked, output: str) -> None:
    """Judge FHIR R4 Bundles or CDS Hooks requests and write a page with the timeline, the cards and the facts.

    The page stands by itself: it needs no network and holds no script. Several files give a page each, numbered, and an index
    under the name that was asked for.
    """
    if missing := [package for module, package in _NEEDED.items() if find_spec(module) is None]:
        stop(f"the report needs {', '.join(missing)}: pip install {' '.join(missing)}")
    target = Path(output)
    if target.suffix not in _FORMS:
        stop(f"--output: '{target.name}' must end in one of {', '.join(_FORMS)}")
    if len(asked.files) > 1 and target.suffix != ".html":
        stop("several files give pages and an index: let --output end in .html")
    moment, engine = parse_at(asked.at), make_engine(asked.rules)
    judged = [(name, _judged(asked, engine, moment, name)) for name in asked.files]
    try:
        if len(judged) == 1:
            target.write_bytes(_drawn(judged[0][1], target.suffix))
        else:
            _write_all(judged, target)
    except OSError as error:
        stop(f"{target}: cannot be written ({error.strerror})")
    except Exception as error:  # no traceback, which may hold the patient's data
        stop(f"{target}: cannot be drawn, an internal fault ({type(error).__name__})", FAULT)


def _judged(asked: Asked, engine: Any, moment: Any, name: str) -> Advice:
    try:
        request = read_question(name, asked.hook, asked.patient)
        return advise(request, engine, moment_for(moment, request), max_cards=99)
    except InputError as error:
        stop(f"{shown_name(name)}: {error}")
    except EngineFault as fault:
        stop(f"{shown_name(name)}: no advice, the rule engine failed: {fault}", FAULT)
    except Exception as error:  # no traceback, which may hold the patient's data
        stop(f"{shown_name(name)}: no advice, an internal fault ({type(error).__name__})", FAULT)


def _drawn(advice: Advice, suffix: str) -> bytes:
    from cds.report.page import report
    from cds.timeline.picture import picture
    from cds.timeline.rows import timeline

    if suffix == ".html":
        return report(advice, __version__).encode()
    form: Form = suffix.removeprefix(".")  # type: ignore[assignment]  # one of _FORMS
    return picture(timeline(advice), form)


def _write_all(judged: list[tuple[str, Advice]], target: Path) -> None:
    from cds.report.page import Entry, index

    entries = []
    for number, (name, advice) in enumerate(judged, start=1):
        page = target.with_name(f"{target.stem}-{number}.html")
        page.write_bytes(_drawn(advice, ".html"))
        entries.append(Entry(page.name, shown_name(name), advice.cards))
    target.write_text(index(entries, __version__), encoding="utf-8")
