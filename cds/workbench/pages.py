"""The pages of the workbench and of the rules, made on the server; a script only spares pressing a button."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from cds import __version__
from cds.advise import Advice, advise
from cds.authoring.mutants import survivors
from cds.authoring.page import rule_page
from cds.authoring.scenarios import Check, body_of, scenarios_of
from cds.cards.order import arranged
from cds.chart.body import InputError
from cds.chart.model import HOOKS
from cds.chart.request import newest_date, read_request
from cds.chart.times import parse_now
from cds.engine import Engine
from cds.facts.record import Named
from cds.knowledge.read import Folder, read_folder
from cds.report.page import unjudged
from cds.timeline.picture import picture
from cds.timeline.rows import timeline
from cds.timeline.spec import spec
from cds.workbench.what_if import Json, moved, pressed, sliders

HERE = Path(__file__).parent
SCRIPT = (HERE / "workbench.js").read_text(encoding="utf-8")
_STYLE = (HERE.parent / "report" / "style.css").read_text(encoding="utf-8") + (HERE / "workbench.css").read_text(
    encoding="utf-8"
)
_DIGEST = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_encode = msgspec.json.Encoder(decimal_format="number").encode


_MOVED = {
    "dose": (Decimal(200), False),
    "level": (Decimal(1000), False),
    "count": (Decimal(10_000), False),
    "age": (Decimal(120), True),
    "days": (Decimal(20_000), True),
}
"""How far a value may be moved, and whether by whole numbers alone."""
_PRESSED = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})")


@dataclass(frozen=True)
class Asked:
    """What the form of the workbench holds."""

    chart: str
    hook: str = ""
    at: str = ""
    press: str = ""
    wanted: Mapping[str, Decimal] | None = None


def asked(form: Mapping[str, Sequence[str]]) -> Asked:
    """The fields of a form. Raises InputError for a number that is none."""
    one = {name: values[0] for name, values in form.items() if values}
    wanted = {}
    for name, text in one.items():
        if name.startswith("set-") and text != one.get(f"was-{name[4:]}"):
            try:
                number = Decimal(text)
            except InvalidOperation:
                raise InputError("a value that was moved is not a number") from None
            if not number.is_finite() or number < 0:
                raise InputError("a value that was moved is out of range")
            most, whole = _MOVED.get(name[4:], (Decimal(0), False))
            if number > most or (whole and number != int(number)):
                raise InputError("a value that was moved is out of range")
            wanted[name[4:]] = number
    return Asked(one.get("chart", ""), one.get("hook", ""), one.get("at", ""), one.get("press", ""), wanted)


class Workbench:
    """The pages over one engine and the folder that its rules are from."""

    def __init__(self, engine: Engine, folder: Path, protocol: str, overlays: Sequence[Path]) -> None:
        self.engine, self._where = engine, (folder, protocol, tuple(overlays))

    @cached_property
    def folder(self) -> Folder:
        """The rules as their authors wrote them; read when first asked for."""
        folder, protocol, overlays = self._where
        return read_folder(folder, protocol, overlays)

    @cached_property
    def examples(self) -> dict[str, Check]:
        """The days of the scenarios, each a patient to look at, by name."""
        folder, _, overlays = self._where
        mine = self.engine.knowledge.protocol.id
        found = scenarios_of(folder, [], overlays)
        return {check.name: check for s in found if s.shape.protocol in ("", mine) for check in s.checks}

    def start(self, example: str = "") -> str:
        """The empty workbench, or with an example in it."""
        check = self.examples.get(example)
        if check is None:
            return self._render("start.html", examples=list(self.examples), error="")
        body, now = body_of(check, self.engine.knowledge)
        return self.judged(
            Asked(json.dumps(json.loads(body), indent=1), at=now.isoformat()), check.scenario.shape.story
        )

    def judged(self, form: Asked, story: str = "") -> str:
        """A chart, its picture, its cards, and what may be moved or pressed."""
        try:
            document, advice, note = self._advice(form)
        except InputError as error:
            return self._render("start.html", examples=list(self.examples), error=str(error))
        facts = advice.situation.facts.values
        return self._render(
            "judged.html",
            story=story,
            note=note,
            chart=json.dumps(document, separators=(",", ":"), ensure_ascii=False),
            shown=json.dumps(document, indent=1, ensure_ascii=False),
            gaps=[item for item in facts.get("gaps", ()) if isinstance(item, Named)],
            unjudged=unjudged(advice),
            hook=advice.situation.hook,
            at=advice.situation.now.isoformat(),
            picture=Markup(picture(spec(timeline(advice)), "svg").decode()),  # noqa: S704  # drawn by ourselves, escaped by XML
            cards=[card | {"html": Markup(_MARKDOWN.render(card["detail"]))} for card in advice.cards],  # noqa: S704  # HTML is switched off
            sliders=sliders(document, advice),
            rules=sorted(advice.explained, key=lambda each: (not each.fires, each.rule.id)),
            answer=msgspec.json.format(_encode({"cards": arranged(advice.cards)}), indent=1).decode(),
        )

    def _advice(self, form: Asked) -> tuple[Json, Advice, str]:
        document = _document(form.chart)
        hook = form.hook if form.hook in HOOKS and document.get("resourceType") == "Bundle" else None
        at = parse_now(form.at) if form.at else None
        if form.at and at is None:
            raise InputError("the time to judge at is not an ISO 8601 date or time, such as 2024-05-01T20:00:00Z")
        advice = self._judge(document, hook, at)
        if form.press:
            return self._pressed(document, advice, form.press)
        if form.wanted:
            offered = {each.name for each in sliders(document, advice)}
            wanted = {name: value for name, value in form.wanted.items() if name in offered}
            try:
                document, now = moved(document, advice, wanted)
            except (ValueError, OverflowError):
                raise InputError("a value that was moved makes a date that cannot be") from None
            note = (
                ", ".join(f"{name} to {value}" for name, value in wanted.items())
                or "nothing; this chart has no such value"
            )
            return document, self._judge(document, hook, now), f"Moved: {note}."
        return document, advice, ""

    def _pressed(self, document: Json, advice: Advice, press: str) -> tuple[Json, Advice, str]:
        place = _PRESSED.fullmatch(press)
        card, suggestion = (int(place[1]), int(place[2])) if place else (-1, -1)
        after = pressed(document, advice, card, suggestion) if place else None
        if after is None:
            raise InputError("there is no such suggestion on this chart any more")
        label = advice.cards[card]["suggestions"][suggestion]["label"]
        document, hook = json.loads(_encode(after[0])), after[1]
        asked_on = hook if document.get("resourceType") == "Bundle" else None
        note = f"Pressed: {label}."
        if hook != advice.situation.hook:
            note += " This is what signing it brings; cards of an opened chart are not judged here."
        return document, self._judge(document, asked_on, advice.situation.now), note

    def _judge(self, document: Json, hook: Any, now: datetime | None) -> Advice:
        request = read_request(json.dumps(document).encode(), hook)
        if request.from_hook and "MedicationRequest" in request.not_supplied:
            raise InputError("the prefetch key 'medications' was not supplied; without it nothing can be judged")
        moment = now or newest_date(request)
        if moment is None:
            raise InputError("nothing in it has a date, so there is no latest one; say when it is to be judged")
        return advise(request, self.engine, moment, explain=True, max_cards=99)

    def rules(self) -> str:
        """Every rule, each with its page."""
        return self._render(
            "rules.html", files=self.folder.files, signed={r.id: r.signed for r in self.engine.knowledge.rules}
        )

    def rule(self, name: str) -> str | None:
        """A rule's page: its text, card, sources and cases, who stands for it, and which small changes its cases notice."""
        file = next((each for each in self.folder.files if each.rule.id == name), None)
        if file is None or self.folder.knowledge is None:
            return None
        made, alive = survivors(file, self.folder.knowledge)
        html = Markup(_MARKDOWN.render(rule_page(file, self.folder)))  # noqa: S704  # HTML in it is switched off
        return self._render("rule.html", file=file, html=html, made=made, alive=[fault.message for fault in alive])

    def _render(self, name: str, **values: Any) -> str:
        text: str = _TEMPLATES.get_template(name).render(
            style=Markup(_STYLE),  # noqa: S704  # our own file
            protocol=self.engine.knowledge.protocol,
            knowledge=self.engine.knowledge.hash,
            version=__version__,
            hooks=HOOKS,
            **values,
        )
        return text


def _document(text: str) -> Json:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("this is not JSON") from None
    if not isinstance(document, dict):
        raise InputError("this is neither a FHIR Bundle nor a CDS Hooks request")
    return document
