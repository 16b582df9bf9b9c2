"""The page: everything it shows is escaped by the template, cards' Markdown is rendered with HTML switched off."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from cds.advise import Advice
from cds.cards.detail import layers_of
from cds.cards.text import shown
from cds.plan.declare import Named
from cds.timeline.picture import pictures
from cds.timeline.rows import Timeline, timeline
from cds.vocabulary import VOCABULARY

_HERE = Path(__file__).parent
_LONG = 100  # days
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def templates(*folders: Path) -> Environment:
    """Templates from these folders, and those of the reports, which they may extend; all values are escaped."""
    return Environment(
        loader=FileSystemLoader([*folders, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


_TEMPLATES = templates()


@dataclass(frozen=True)
class Entry:
    """One report in the index: where it is, which file it judges, and its cards by urgency."""

    href: str
    name: str
    cards: Sequence[dict[str, Any]]


def report(advice: Advice, version: str) -> str:
    """The page about one patient, as a whole HTML document."""
    situation, drawn = advice.situation, timeline(advice)
    facts = situation.facts
    return rendered(
        _TEMPLATES,
        "report.html",
        **course(drawn),
        cards=[card | in_layers(card) for card in advice.cards],
        gaps=[item for item in facts.values.get("gaps", ()) if isinstance(item, Named)],
        facts=list(_facts(advice)),
        unjudged=unjudged(advice),
        old=_old(drawn),
        patient=situation.chart.patient_id,
        now=situation.patient.now.strftime("%Y-%m-%d %H:%M"),
        hook=situation.patient.hook,
        protocol=situation.knowledge.protocol,
        knowledge=situation.knowledge.hash,
        drafts=any(rule.status == "draft" for rule in situation.knowledge.rules),
        version=version,
    )


def index(entries: Sequence[Entry], version: str) -> str:
    """The page that lists several reports."""
    return rendered(_TEMPLATES, "index.html", entries=entries, version=version)


def rendered(environment: Environment, name: str, images: str = "", **values: Any) -> str:
    """A self-contained page with the style of the reports; ``images`` says where pictures may come from."""
    style = (_HERE / "style.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    text: str = environment.get_template(name).render(
        style=Markup(style),  # noqa: S704  # our own file
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        + (f"; img-src {images}" if images else ""),
        **values,
    )
    return text


def course(drawn: Timeline) -> dict[str, Any]:
    """What a page shows of the course: the picture, its key, and the same in words."""
    return {
        "picture": Markup(pictures(drawn)),  # noqa: S704  # drawn by ourselves, texts escaped by XML
        "reasons": drawn.reasons,
        "ahead": bool(drawn.doses_ahead),
        "rows": list(told(drawn)),
    }


def in_layers(card: dict[str, Any]) -> dict[str, Markup]:
    """The layers of a card as HTML: ``first``, to be placed before its suggestions, and ``last``."""
    first, last = layers_of(card["detail"])
    return {"first": _html("\n\n".join(first)), "last": _html("\n\n".join(last))}


def _html(markdown: str) -> Markup:
    return Markup(_MARKDOWN.render(markdown))  # noqa: S704  # HTML in it is switched off


def told(drawn: Timeline) -> Iterator[tuple[str, str]]:
    """The picture in words, oldest first."""
    yield from sorted((row["at"][:10], row["say"]) for row in drawn.rows())


def _old(drawn: Timeline) -> str:
    """A note that the newest result is old, if it is: a user who judges an old file as of today should see this."""
    newest = max((row["at"][:10] for row in (*drawn.counts, *drawn.levels)), default="")
    days = (date.fromisoformat(drawn.now[:10]) - date.fromisoformat(newest)).days if newest else 0
    return f"The newest level or count is of {newest}, {days} days before." if days > _LONG else ""


def unjudged(advice: Advice) -> str:
    """Why nothing about sirolimus was judged at all; empty if it was. Silence would read as an all clear."""
    facts = advice.situation.facts
    return "" if "itp_on_record" in facts.values else facts.absent.get("daily_dose", "no fact could be told")


def _facts(advice: Advice) -> Iterator[dict[str, str]]:
    """Every fact that is known, with its resources; then those that are not, with the reason."""
    facts = advice.situation.facts
    for name, value in facts.values.items():
        on = f", {facts.dates[name].isoformat()}" if name in facts.dates else ""
        yield {
            "name": name.replace("_", " "),
            "value": f"{shown(value)} {VOCABULARY[name].unit}".strip() + on,
            "why": ", ".join(facts.evidence.get(name, ())),
        }
    for name in VOCABULARY:
        if name not in facts.values and name in facts.absent:
            yield {"name": name.replace("_", " "), "value": "not known", "why": facts.absent[name]}
