"""What is recorded about one evaluation: which rules held, what was shown, folded or withheld, and why."""

from __future__ import annotations

import hmac
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec

from cds import __version__
from cds.advise import Advice
from cds.cards.build import NAMESPACE
from cds.cards.held_back import Earlier, basis_of
from cds.cards.order import FOLDED_TOPIC
from cds.chart.request import Request
from cds.compiled.knowledge import Knowledge, Rule
from cds.records.kept_facts import packed_facts
from cds.records.reduced import reduced

Keep = Literal["verdict", "facts", "input"]
"""What is kept in addition to the verdict: nothing, the facts that rules compare, or the reduced input."""
Place = Literal["card", "with", "folded", "held back", "gives way", "not signed"]
"""Where a rule that held is shown: on its own card, on another rule's card, on the card of further findings, or nowhere."""
SIGNED_ONLY = "-signed"
_VERSION = 12  # hexadecimal digits
_versions: dict[str, dict[str, str]] = {}


class Card(msgspec.Struct, frozen=True):
    """A card as it was shown; ``rules`` in the order of the card, the leading rule first."""

    uuid: str
    indicator: str
    summary: str
    rules: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True):
    """A rule that held. ``version``: the first digits of the hash of the rule at that time, without its signatures.

    ``summary``: of its own card, before cards are merged; ``digest``: a hash of all that this card said and offered; ``basis``: a hash
    of what the card rested on, empty if the rule gave way.
    """

    rule: str
    version: str
    indicator: str
    place: Place
    card: str = ""
    leads: bool = False
    gives_way_to: tuple[str, ...] = ()
    summary: str = ""
    digest: str = ""
    basis: str = ""

    @property
    def is_told(self) -> bool:
        """Whether it is on a card, not silent because of another rule, a missing signature, or what happened to its card earlier."""
        return bool(self.card)


class Gap(msgspec.Struct, frozen=True):
    """What could not be judged, and why."""

    fact: str
    reason: str


class Verdict(msgspec.Struct, frozen=True):
    """What was said, in words. ``withheld``: what a card would have offered, and why it did not; ``held_back``: the cards that were not
    shown because of what happened to them earlier."""

    cards: tuple[Card, ...] = ()
    gaps: tuple[Gap, ...] = ()
    withheld: dict[str, str] = {}
    findings: tuple[Finding, ...] = ()
    held_back: tuple[Earlier, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """One evaluation. ``patient`` is a keyed hash; ``knowledge`` the hash of rules, numbers, protocol and codes."""

    patient: str
    now: str
    outcome: str
    knowledge: str
    protocol: str
    program: str
    verdict: Verdict
    facts: bytes | None = None
    input: bytes | None = None


class Recorder(msgspec.Struct, frozen=True):
    """What to keep of an evaluation, and the key for hashing patients. It is passed to the processes that judge."""

    keep: Keep
    key: bytes

    def decision(self, advice: Advice, request: Request, now: datetime, issuer: str) -> Decision:
        """What is kept of ``advice`` on ``request``."""
        knowledge = advice.situation.knowledge
        facts = packed_facts(advice.situation.facts.compared) if self.keep == "facts" else None
        return Decision(
            patient=self.patient_of(request, issuer),
            now=now.isoformat(),
            outcome="cards" if advice.cards else "no card",
            knowledge=knowledge_of(knowledge),
            protocol=knowledge.protocol.id,
            program=__version__,
            verdict=verdict_of(advice),
            facts=facts,
            input=reduced(request) if self.keep == "input" else None,
        )

    def fault(self, content: Mapping[str, Any], knowledge: Knowledge, now: datetime) -> Decision:
        """What is kept of an evaluation that failed, and of the card that says so. The patient is not known for certain."""
        card = _card(content)
        verdict = Verdict((card,), findings=(_unruled(card),))
        return Decision(
            "", now.isoformat(), "fault", knowledge_of(knowledge), knowledge.protocol.id, __version__, verdict
        )

    def patient_of(self, request: Request, issuer: str) -> str:
        """The patient of a request as a keyed hash."""
        return self.patient(issuer, request.message.fhirServer or "", request.patient_id)

    def patient(self, issuer: str, server: str, patient_id: str) -> str:
        """A patient as a keyed hash; the same id gives different hashes for different issuers and FHIR servers."""
        parts = (issuer, server, patient_id)
        text = "".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "replace")
        return hmac.new(self.key, text, sha256).hexdigest()[:32]


def knowledge_of(knowledge: Knowledge) -> str:
    """The hash of rules, numbers, protocol and codes; marked where only signed rules are shown."""
    return knowledge.hash + (SIGNED_ONLY if knowledge.hidden_rules else "")


def verdict_of(advice: Advice) -> Verdict:
    """The part of the advice that is kept."""
    cards = tuple(_card(each) for each in advice.cards)
    gaps = {
        (gap["fact"], gap["reason"]) for each in advice.cards for gap in each["extension"].get(f"{NAMESPACE}.gaps", ())
    }
    return Verdict(
        cards,
        tuple(Gap(fact, reason) for fact, reason in sorted(gaps)),
        dict(_withheld(advice)),
        (*_shown(advice), *_held_back(advice), *_silent(advice)),
        tuple(each.earlier for each in advice.held_back),
    )


def _card(card: Mapping[str, Any]) -> Card:
    rules = tuple(one["rule"] for one in card["extension"][f"{NAMESPACE}.findings"])
    return Card(card["uuid"], card["indicator"], card["summary"], rules)


def _unruled(card: Card) -> Finding:
    """The finding of a card that no rule made."""
    return Finding(card.rules[0], "", card.indicator, "card", card.uuid, True)


def _shown(advice: Advice) -> Iterator[Finding]:
    """The rules on the cards. A merged card belongs to its first rule, and feedback on the card counts for that rule."""
    hook = advice.situation.patient.hook
    bases = {each.rule.id: basis_of(each, advice.situation) for each in advice.verdict.holding(hook)}
    for card in advice.cards:
        is_folded = card["source"]["topic"]["code"] == FOLDED_TOPIC
        for at, one in enumerate(card["extension"][f"{NAMESPACE}.findings"]):
            place: Place = "folded" if is_folded else "with" if at else "card"
            yield _told(advice, one, place, card["uuid"], not at, bases.get(one["rule"], ""))


def _told(advice: Advice, one: Mapping[str, Any], place: Place, card: str, leads: bool, basis: str) -> Finding:
    """A rule on a card. The finding that some rules are not shown was made by no rule."""
    rule, own = one["rule"], advice.by_rule.get(one["rule"])
    if own is None:
        return Finding(rule, "", one["level"], place, card, leads)
    version = version_of(advice.situation.knowledge, rule)
    return Finding(rule, version, one["level"], place, card, leads, (), own["summary"], digest_of_card(own), basis)


def _held_back(advice: Advice) -> Iterator[Finding]:
    """The rules that fire and whose cards are held back."""
    for each in advice.held_back:
        rule, level = each.holding.rule.id, each.holding.level.indicator
        basis = basis_of(each.holding, advice.situation)
        yield Finding(rule, version_of(advice.situation.knowledge, rule), level, "held back", basis=basis)


def digest_of_card(card: Mapping[str, Any]) -> str:
    """A hash of all that a card says and offers, without ids and without the parts of an order that are only sent back."""
    offers = [
        [each["label"], *(action["description"] for action in each["actions"])] for each in card.get("suggestions", ())
    ]
    told = [card["indicator"], card["summary"], card["detail"], offers, card.get("overrideReasons"), card["source"]]
    return sha256(msgspec.json.encode(told)).hexdigest()[:_VERSION]


def _silent(advice: Advice) -> Iterator[Finding]:
    knowledge, hook = advice.situation.knowledge, advice.situation.patient.hook
    for rule, above in advice.verdict.silent:
        if hook in rule.hooks and rule.id not in advice.by_rule:  # a rule that is held back gives way to no other rule
            place: Place = "gives way" if above else "not signed"
            yield Finding(rule.id, version_of(knowledge, rule.id), "", place, gives_way_to=above)


def _withheld(advice: Advice) -> Iterator[tuple[str, str]]:
    """Doses that the rules on the cards would offer and that are not known, each with the reason."""
    facts = advice.situation.facts
    for holding in advice.verdict.holding(advice.situation.patient.hook):
        for suggestion in holding.level.suggestions:
            if suggestion.dose and (why := facts.absent.get(suggestion.dose)):
                yield suggestion.dose, why


def version_of(knowledge: Knowledge, rule_id: str) -> str:
    """The version of a rule: it changes with whatever the rule decides or says, and with nothing else. Empty where there is no such rule."""
    known = _versions.get(knowledge.hash)
    if known is None:
        known = _versions[knowledge.hash] = {rule.id: _version(rule) for rule in knowledge.rules}
    return known.get(rule_id, "")


def _version(rule: Rule) -> str:
    bare = msgspec.structs.replace(rule, status="", signed=())
    return sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()[:_VERSION]


def packed(verdict: Verdict) -> bytes:
    """A verdict as it is stored."""
    return zlib.compress(msgspec.json.encode(verdict))


def unpacked(stored: bytes) -> Verdict:
    """A verdict as it was stored."""
    return msgspec.json.decode(zlib.decompress(stored), type=Verdict)
