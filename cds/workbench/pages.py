"""The pages of the workbench and of the rules, made on the server; a script only spares pressing a button."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from cds import __version__
from cds.advise import Advice, advise
from cds.authoring.mutants import survivors
from cds.authoring.page import rule_page
from cds.authoring.scenarios import Check, body_of, scenarios_of
from cds.cards.order import arranged
from cds.cards.why import in_words, instead, silence
from cds.chart.body import InputError
from cds.chart.model import HOOKS
from cds.chart.request import newest_date, read_request
from cds.chart.times import parse_now
from cds.engine import Engine
from cds.engine.evaluate import Explained
from cds.facts.record import Facts, Named
from cds.knowledge.read import Folder, read_folder
from cds.report.page import unjudged
from cds.timeline.picture import pictures
from cds.timeline.rows import timeline
from cds.workbench.document import Json, as_request, document_of, written
from cds.workbench.form import GONE, Asked, asked
from cds.workbench.what_if import moved, pressed, sliders

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
_ANSWERS = {True: "yes", False: "no"}


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

    def start(self, example: str = "", error: str = "") -> str:
        """The empty workbench, with what was wrong; or with an example in it."""
        check = self.examples.get(example)
        if check is None:
            return self._render("start.html", examples=list(self.examples), error=error)
        body, now = body_of(check, self.engine.knowledge)
        return self._judged(Asked(body.decode(), at=now.isoformat()), check.scenario.shape.story)

    def answer(self, form: bytes) -> str:
        """The page for a form as it was sent; what cannot be judged is said on it."""
        try:
            return self._judged(asked(form))
        except InputError as error:
            return self.start(error=str(error))

    def _judged(self, form: Asked, story: str = "") -> str:
        """A chart, its picture, its cards, and what may be moved or pressed. Raises InputError."""
        document, advice, note = self._advice(form)
        situation = advice.situation
        facts, hook = situation.facts, situation.hook
        request = as_request(document, hook, situation.chart.patient_id)
        return self._render(
            "judged.html",
            story=story,
            note=note,
            chart=_text(written(document)),
            shown=_text(written(document, indent=1)),
            request=_text(written(request, indent=1)) if request not in (None, document) else "",
            gaps=[item for item in facts.values.get("gaps", ()) if isinstance(item, Named)],
            unjudged=unjudged(advice),
            hook=hook,
            at=situation.now.isoformat(),
            picture=Markup(pictures(timeline(advice))),  # noqa: S704  # drawn by ourselves, escaped by XML
            cards=[card | {"html": Markup(_MARKDOWN.render(card["detail"]))} for card in advice.cards],  # noqa: S704  # HTML is switched off
            sliders=sliders(document, advice),
            rules=sorted(
                (self._lit(each, facts, hook) for each in advice.explained),
                key=lambda lit: (not lit["fires"], lit["id"]),
            ),
            answer=_text(written({"cards": arranged(advice.cards)}, indent=1)),
        )

    def _lit(self, explained: Explained, facts: Facts, hook: str) -> Json:
        """A rule as the page shows it: whether it speaks, each of its conditions with its truth, and its sources."""
        rule, sources = explained.rule, self.engine.knowledge.sources
        return {
            "id": rule.id,
            "title": rule.title,
            "fires": explained.fires,
            "why": silence(explained, facts, hook),
            "conditions": [
                {"holds": holds, "answer": _ANSWERS[holds], "words": in_words(test.text), "is": instead(test, facts)}
                for test, holds in explained.conditions
            ],
            "sources": [(each, sources[each.cite]) for each in rule.citations],
        }  # fmt: skip

    def _advice(self, form: Asked) -> tuple[Json, Advice, str]:
        document = document_of(form.chart)
        hook = form.hook if form.hook in HOOKS and document.get("resourceType") == "Bundle" else None
        at = parse_now(form.at) if form.at else None
        if form.at and at is None:
            raise InputError("the time to judge at is not an ISO 8601 date or time, such as 2024-05-01T20:00:00Z")
        advice = self._judge(document, hook, at)
        if form.press:
            return self._pressed(document, advice, *form.place)
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

    def _pressed(self, document: Json, advice: Advice, card: int, suggestion: int) -> tuple[Json, Advice, str]:
        after = pressed(document, advice, card, suggestion)
        if after is None:
            raise InputError(GONE)
        label = advice.cards[card]["suggestions"][suggestion]["label"]
        document, hook = after
        asked_on = hook if document.get("resourceType") == "Bundle" else None
        note = f"Pressed: {label}."
        if hook != advice.situation.hook:
            note += " This is what signing it brings; cards of an opened chart are not judged here."
        return document, self._judge(document, asked_on, advice.situation.now), note

    def _judge(self, document: Json, hook: Any, now: datetime | None) -> Advice:
        request = read_request(written(document), hook)
        if request.from_hook and "MedicationRequest" in request.not_supplied:
            raise InputError("the prefetch key 'medications' was not supplied; without it nothing can be judged")
        moment = now or newest_date(request)
        if moment is None:
            raise InputError("nothing in it has a date, so there is no latest one; say when it is to be judged")
        return advise(request, self.engine, moment, explain=True, max_cards=99)

    def rules(self) -> str:
        """Every rule: what it is about, its sources, its cases, the small changes that they notice, and who stands for it."""
        return self._render("rules.html", rules=[self._listed(file.rule.id) for file in self.folder.files])

    def _listed(self, name: str) -> Json:
        file = next(each for each in self.folder.files if each.rule.id == name)
        assert self.folder.knowledge is not None
        made, alive = survivors(file, self.folder.knowledge)
        served = self.engine.knowledge.rule(name)
        return {
            "id": name,
            "title": file.rule.title,
            "subject": file.rule.subject,
            "grades": ", ".join(sorted({each.grade for each in served.citations})),
            "recalled": any(each.basis == "RECALLED" for each in served.citations),
            "cases": len(file.shape.cases),
            "made": made,
            "noticed": made - len(alive),
            "signed": "; ".join(served.signed) or "nobody: a draft",
        }

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


def _text(content: bytes) -> Markup:
    """JSON as the text of an element: what is not markup there stays as it is, for quotes are a third of it."""
    return Markup(content.decode().replace("&", "&amp;").replace("<", "&lt;"))  # noqa: S704  # escaped here
