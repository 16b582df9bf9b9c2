"""What other rules would have said about recorded patients, and which records cannot answer that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from cds import __version__
from cds.advise import advise
from cds.authoring.proofs.differing import Differing, differing
from cds.cards.held_back import Earlier
from cds.chart.body import InputError
from cds.chart.request import Request
from cds.compiled.hooks import SERVED
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.knowledge.reviews import active_only
from cds.records.decision import SIGNED_ONLY, Finding, Verdict, knowledge_of, verdict_of, version_of
from cds.records.find import Stored

TOGETHER = "(the cards together)"
OTHER_WORDS = "other words or buttons"
NO_INPUT = "neither input nor facts were kept, or the input had a part that only the whole of it would tell"
FAULT = "the evaluation had failed"
OTHER_RULES = "only facts were kept, and they were judged by other rules than those that are named as the old ones"
NO_OLD_RULES = "only facts were kept: which facts a change reaches is not known without the old rules (--was)"


@dataclass(frozen=True)
class Told:
    """A rule's card before cards are merged; if only facts were kept, what the card says is not known."""

    indicator: str
    summary: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Replayed:
    """One decision judged again: the cards that are gained, lost and changed, by rule.

    ``is_fault``: something differs although rules and program are those of the record.
    """

    decision: Stored
    gained: dict[str, Told] = field(default_factory=dict)
    lost: dict[str, Told] = field(default_factory=dict)
    changed: dict[str, tuple[Told, Told]] = field(default_factory=dict)
    is_fault: bool = False

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.changed)


class Served:
    """Rules as they would be served: all of them or, for a site that showed only signed rules, the signed ones."""

    def __init__(self, engine: CheckedEngine) -> None:
        self.all = engine

    @cached_property
    def signed(self) -> CheckedEngine:
        """The same rules, with the cards of unsigned rules hidden."""
        return CheckedEngine(active_only(self.all.knowledge))

    def as_for(self, decision: Stored) -> CheckedEngine:
        """The rules as a decision's site would show them."""
        return self.signed if decision.knowledge.endswith(SIGNED_ONLY) else self.all


class Unanswerable(Exception):
    """The record does not hold what a replay needs; ``str`` says what."""


class Change:
    """The difference between the old rules and the new ones; computed only if nothing but facts was kept."""

    def __init__(self, old: Knowledge, new: Knowledge) -> None:
        self.old, self._new = old, new

    @cached_property
    def _differing(self) -> Differing:
        return differing(self.old, self._new)

    @property
    def words(self) -> tuple[str, ...]:
        """The rules whose cards say or offer something else whenever they are shown."""
        return self._differing.words

    @cached_property
    def reaches(self) -> tuple[str, ...]:
        """The parts of the change that affect facts, or compare facts which the old rules did not: kept facts say nothing about them."""
        found = self._differing
        more = sorted(_compared_by(self._new) - _compared_by(self.old))
        return (*found.facts, *found.data, *more)


def replay(decision: Stored, served: Served, change: Change | None = None) -> Replayed:
    """A decision judged again by the rules of ``served``. ``change``: from the rules that compared the facts, if only facts were kept.

    Raises:
        Unanswerable: it cannot be judged again.
    """
    if decision.outcome == "fault":
        raise Unanswerable(FAULT)
    engine = served.as_for(decision)
    before = _of_record(decision.verdict)
    request = decision.asked()
    if request is None:
        bare = {rule: Told(each.indicator) for rule, each in before.items()}
        found = _compared(decision, bare, _by_facts(decision, engine, change))
    else:
        verdict = _judged(request, engine, decision)
        found = _compared(decision, before, _of_record(verdict))
        if not found and (was := _together(decision.verdict)) != (now := _together(verdict)):
            found.changed[TOGETHER] = was, now
    same = decision.knowledge == knowledge_of(engine.knowledge) and decision.program == __version__
    return replace(found, is_fault=same and bool(found))


def _judged(request: Request, engine: CheckedEngine, decision: Stored) -> Verdict:
    try:
        return verdict_of(advise(request, engine, decision.moment, earlier=_still_away(decision, engine.knowledge)))
    except InputError as error:
        raise Unanswerable(f"the input is not taken any longer: {error}") from None


def _still_away(decision: Stored, knowledge: Knowledge) -> list[Earlier]:
    """The cards that were held back and whose rules still have the same version."""
    verdict = decision.verdict
    versions = {each.rule: each.version for each in verdict.findings if each.place == "held back"}
    return [each for each in verdict.held_back if versions[each.rule] == version_of(knowledge, each.rule)]


def _compared(decision: Stored, before: dict[str, Told], after: dict[str, Told]) -> Replayed:
    return Replayed(
        decision,
        gained={rule: each for rule, each in after.items() if rule not in before},
        lost={rule: each for rule, each in before.items() if rule not in after},
        changed={rule: (before[rule], each) for rule, each in after.items() if before.get(rule, each) != each},
    )


def _of_record(verdict: Verdict) -> dict[str, Told]:
    return {each.rule: _told(each) for each in verdict.findings if each.is_told and each.version}


def _together(verdict: Verdict) -> Told:
    """How cards were merged and folded, which the rules alone do not show."""
    return Told("", " / ".join(card.summary for card in verdict.cards))


def _told(finding: Finding) -> Told:
    return Told(finding.indicator, finding.summary, finding.digest)


def _by_facts(decision: Stored, engine: CheckedEngine, change: Change | None) -> dict[str, Told]:
    """Which rules fire on the facts that were kept; correct only if the change consists of comparisons alone."""
    facts = decision.compared()
    if facts is None:
        raise Unanswerable(NO_INPUT)
    if change is None:
        raise Unanswerable(NO_OLD_RULES)
    if decision.knowledge.removesuffix(SIGNED_ONLY) != change.old.hash:
        raise Unanswerable(OTHER_RULES)
    if change.reaches:
        what = ", ".join(change.reaches)
        raise Unanswerable(f"only facts were kept, and the change is not one of comparisons alone: {what}")
    hook = SERVED[decision.hook].judged_as
    away = {(each.rule, each.level) for each in _still_away(decision, engine.knowledge)}
    return {
        each.rule.id: Told(each.level.indicator, "", OTHER_WORDS if each.rule.id in change.words else "")
        for each in engine.judge(facts).holding(hook)
        if (each.rule.id, each.level.indicator) not in away
    }


def _compared_by(knowledge: Knowledge) -> set[str]:
    tests = (test for rule in knowledge.rules for each in rule.variants for branch in each.branches for test in branch)
    return {test.fact for test in tests}
