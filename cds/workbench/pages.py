"""The pages of the workbench and of the rules, made on the server; the script only saves pressing a button."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from cds import __version__
from cds.authoring.check import Engines
from cds.authoring.page import rule_page
from cds.authoring.scenarios import Check, body_of, scenarios_of
from cds.authoring.sensitivity import survivors
from cds.cards.order import arranged
from cds.cards.why import in_words, instead, silence
from cds.chart.body import InputError
from cds.compiled.hooks import HOOKS
from cds.engine import CheckedEngine, Explained
from cds.knowledge.files import Folder, RuleFile
from cds.knowledge.read import SUBJECTS, read_folder
from cds.plan.case import Facts
from cds.plan.declare import Named
from cds.report.page import course, in_layers, templates, unjudged
from cds.timeline.rows import timeline
from cds.workbench.document import Json, written
from cds.workbench.form import Asked, asked, fields_of
from cds.workbench.strip import strip
from cds.workbench.tiles import Tile, tiles
from cds.workbench.view import request_of, view_of

HERE = Path(__file__).parent
IMAGE = (HERE / "icon.png").read_bytes()
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
_TEMPLATES = templates(HERE)
_ANSWERS = {True: "yes", False: "no"}


class Workbench:
    """The pages for one engine and the folder that its rules come from."""

    def __init__(self, engine: CheckedEngine, folder: Path, protocol: str, overlays: Sequence[Path]) -> None:
        self.engine, self._where = engine, (folder, protocol, tuple(overlays))

    @cached_property
    def folder(self) -> Folder:
        """The rules as their authors wrote them; read when first asked for."""
        folder, protocol, overlays = self._where
        return read_folder(folder, protocol, overlays)

    @cached_property
    def tried(self) -> Folder:
        """The rules under the protocol with which ``check`` runs their cases, whichever protocol is served."""
        folder, _, overlays = self._where
        return Engines(folder, overlays).read()

    @cached_property
    def examples(self) -> dict[str, Check]:
        """The days of the scenarios by name, each an example patient."""
        folder, _, overlays = self._where
        mine = self.engine.knowledge.protocol.id
        found = scenarios_of(folder, [], overlays)
        return {check.name: check for s in found if s.shape.protocol in ("", mine) for check in s.checks}

    @cached_property
    def _tiles(self) -> list[Tile]:
        return list(tiles(self.examples, self.engine))

    def start(self, example: str = "", error: str = "", fields: Mapping[str, str] | None = None) -> str:
        """The empty workbench, with the error and the values that were entered; or the workbench with an example loaded."""
        check = self.examples.get(example)
        if check is not None:
            body, now = body_of(check, self.engine.knowledge)
            return self._judged(Asked(body.decode(), at=now.isoformat()), check.scenario.shape.story)
        found = self._found(example) if example else []
        wrong = error or ("no example contains these words" if example and not found else "")
        names = {name: each.scenario.shape.scenario for name, each in self.examples.items()}
        shown = {"names": names, "found": found, "asked": example, "tiles": self._tiles}
        return self._render("start.html", error=wrong, was=fields or {}, **shown)

    def _found(self, words: str) -> list[str]:
        """The examples whose name and title hold every word."""
        wanted = words.lower().split()
        texts = {name: f"{name} {each.scenario.shape.scenario}".lower() for name, each in self.examples.items()}
        return [name for name, text in texts.items() if all(word in text for word in wanted)]

    def answer(self, form: bytes) -> str:
        """The page for a submitted form; if it cannot be judged, the page says why."""
        fields: dict[str, str] = {}
        try:
            fields = fields_of(form)
            return self._judged(asked(fields))
        except InputError as error:
            return self.start(error=str(error), fields=fields)

    def _judged(self, form: Asked, story: str = "") -> str:
        """A chart, its picture, its cards, and what may be moved or pressed. Raises InputError."""
        view = view_of(form, self.engine)
        advice, document = view.advice, view.document
        situation = advice.situation
        facts, hook = situation.facts, situation.patient.hook
        return self._render(
            "judged.html",
            story=story,
            note=view.note,
            tally=_tally(advice.cards),
            pressed=bool(form.press),
            base=_text(written(view.base)),
            base_at=view.base_at.isoformat(),
            base_hook=view.base_hook,
            chart=_text(written(document)),
            shown=_text(written(document, indent=1)),
            request=_text(request_of(document, advice, self.engine)),
            gaps=[item for item in facts.values.get("gaps", ()) if isinstance(item, Named)],
            unjudged=unjudged(advice),
            hook=hook,
            at=situation.patient.now.isoformat(),
            **course(timeline(advice)),
            strip=strip(advice),
            cards=[card | in_layers(card) for card in advice.cards],
            sliders=view.sliders,
            rules=sorted((self._lit(each, facts, hook) for each in advice.explained), key=_by_lack),
            answer=_text(written({"cards": arranged(advice.cards)}, indent=1)),
        )  # fmt: skip

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

    def rules(self) -> str:
        """Every rule: what it is about, its sources, its cases, how many small changes to the rule they detect, and who signed it."""
        listed = [self._listed(file) for file in self.folder.files]
        groups = {subject: [each for each in listed if each["subject"] == subject] for subject in SUBJECTS}
        return self._render("rules.html", groups={subject: rules for subject, rules in groups.items() if rules})

    def _listed(self, file: RuleFile) -> Json:
        name = file.rule.id
        made, alive = self._mutants(name)
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
            "signed": "; ".join(served.signed) or "draft",
        }

    def rule(self, name: str) -> str | None:
        """A rule's page: its text, card, sources and cases, who signed it, and which small changes its cases detect."""
        file = next((each for each in self.folder.files if each.rule.id == name), None)
        if file is None or self.folder.knowledge is None:
            return None
        made, alive = self._mutants(name)
        html = Markup(_MARKDOWN.render(rule_page(file, self.folder)))  # noqa: S704  # HTML in it is switched off
        return self._render("rule.html", file=file, html=html, made=made, alive=alive)

    def _mutants(self, name: str) -> tuple[int, list[str]]:
        """How many small changes of a rule were made, and those that its cases do not detect, under the protocol of its cases."""
        file = next(each for each in self.tried.files if each.rule.id == name)
        assert self.tried.knowledge is not None
        made, alive = survivors(file, self.tried.knowledge)
        return made, [fault.message for fault in alive]

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


def _by_lack(lit: Json) -> tuple[bool, int, str]:
    """Sort key: rules that speak first, then those that lack the fewest conditions."""
    return not lit["fires"], sum(not each["holds"] for each in lit["conditions"]), lit["id"]


def _tally(cards: Sequence[Json]) -> str:
    """How many cards there are, for users who do not see them."""
    counted = Counter(card["indicator"] for card in cards)
    by_urgency = ", ".join(f"{counted[each]} {each}" for each in ("critical", "warning", "info") if counted[each])
    return f"{len(cards)} card{'s' if len(cards) > 1 else ''} ({by_urgency})" if cards else "no card"


def _text(content: bytes) -> Markup:
    """JSON as the text of an element. Only what would be markup there is escaped: quotes, a third of the text, stay as they are."""
    return Markup(content.decode().replace("&", "&amp;").replace("<", "&lt;"))  # noqa: S704  # escaped here
