"""P4: when a known result becomes unreadable, no critical rule falls silent without the result being named.

It is an invariant of the facts that a watched result is named; property tests check this on random charts. On order hooks it holds
if sirolimus is among the drafts.
"""

from __future__ import annotations

from collections.abc import Sequence

from cds.authoring.proofs.found import Counterexample, Found, Property, proved
from cds.authoring.proofs.regions import Box, Space
from cds.authoring.proofs.speech import Speech
from cds.compiled.knowledge import Knowledge, Rule
from cds.facts import PLAN
from cds.facts.needs import tests_of, watched

_GAPS = "gaps"


def nothing_critical_is_silenced_unsaid(every: Sequence[Knowledge]) -> Property:
    """P4, under the protocol of each of ``every``."""
    found = Property(
        "P4",
        "a result that cannot be read silences no critical rule without being named",
        "facts of critical rules",
        "a result of a watched test, under a code or name that is known, is a gap as long as it would have spoken where it cannot "
        "be read, on an opened chart and where sirolimus is ordered; not named are one reported as a bound on the harmless side, "
        "and any beside the order of another drug",
        "a test that is not watched; nothing that tells of gaps on an opened chart; results that nothing names",
    )
    return proved(found, every, _prove)


def _prove(knowledge: Knowledge) -> Found:
    speech = Speech(knowledge)
    named = watched(PLAN, knowledge)
    for rule in knowledge.rules:
        critical = [each for each in rule.variants if rule.levels[each.level].indicator == "critical"]
        facts = dict.fromkeys(test.fact for variant in critical for branch in variant.branches for test in branch)
        for hook in rule.hooks if critical else ():
            for fact in facts:
                if tests := tests_of(PLAN, fact):
                    yield _silenced(speech, rule, hook, fact, tests - named)


def _silenced(speech: Speech, rule: Rule, hook: str, fact: str, unwatched: frozenset[str]) -> Counterexample | None:
    """A record in which the critical card disappears with the fact, and nothing says that the fact is not known."""
    space = speech.space
    region = speech.holds(rule, hook, "critical")
    known = space.where_known(region, fact)
    gone = [box for box in known if not space.covered(_without(box, fact, space), region)]
    if not gone:
        return None
    if unwatched:
        says = f"{rule.id} is silent when {fact} cannot be read; no gap names {', '.join(sorted(unwatched))}"
    elif not _is_told(speech, hook):
        says = f"{rule.id} is silent when {fact} cannot be read, and no rule tells of gaps"
    else:
        return None
    return Counterexample(speech.knowledge.protocol.id, rule.id, hook, space.example(gone[0]), says)


def _without(box: Box, fact: str, space: Space) -> Box:
    """The same record, except that one fact is not known."""
    return {**box, fact: frozenset({0})}


def _is_told(speech: Speech, hook: str) -> bool:
    """Whether some rule reports gaps on a hook whenever there are any."""
    space = speech.space
    spoken = [box for rule in speech.knowledge.rules for box in speech.speaks(rule, hook) if _GAPS in box]
    return space.covered({**space.place(hook), _GAPS: space.known(_GAPS)}, spoken)
