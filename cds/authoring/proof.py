"""What is proved about the rules, as a page for the records: docs/proof.md."""

from __future__ import annotations

from collections.abc import Iterator

from cds.authoring.check import Report
from cds.knowledge.files import Folder

_HEAD = """# What is proved of the rules

Written by `sirolimus-cds docs --proof` from what `sirolimus-cds check` finds, for the file of whoever answers for the safety of the
rules. {rules} rules, {cases} cases, {days} days of scenarios; {made} small changes of rules, of which {killed} were noticed by a case;
{numbers} numbers of definitions and protocols, {pinned} pinned on both sides. **{verdict}**

A case gives facts and says which card they bring. A day of a scenario gives a chart and says which cards it brings and no others. *Noticed*
means that a case or a day would get another card. None of this says that a number is right: it says that it cannot move unseen. `sirolimus-cds check` says it rule by rule and number by
number, and `check --recalled` what nobody has read at its source.
"""


def proof(folder: Folder, report: Report) -> str:
    """The page, in Markdown."""
    assert folder.knowledge is not None, "only rules that can be read have a page"
    pinned = sum(not list(pin.faults) for pin in report.pins)
    lines = [
        _HEAD.format(
            rules=report.rules,
            cases=report.cases,
            days=report.days,
            made=report.mutants,
            killed=sum(each.killed for each in report.by_rule),
            numbers=len(report.pins),
            pinned=pinned,
            verdict="Sound." if not report.faults else f"Not sound: {len(report.faults)} faults.",
        )
    ]
    lines += [*_properties(report), ""]
    lines += [f"- {fault}" for fault in report.faults]
    lines += ["", *_signatures(folder)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _properties(report: Report) -> Iterator[str]:
    yield "## What the rules can never do"
    yield ""
    yield (
        "Decided exactly, over the cells of the facts, under every protocol, and for a site's own rules too; nothing here is a sample. A second prover, "
        "written apart on z3, gives the same verdicts in the tests (`tests/prover`), of these rules and of 200 random sets. What a property "
        "takes for granted of the facts is held against random charts, coded in every system (`tests/rules/test_invariants.py`). Each was broken "
        "on purpose by a rule, by what it takes for granted and by the prover, and found (`tests/rules/test_properties.py`)."
    )
    yield ""
    yield "| | property | verdict | decided | takes for granted | broken on purpose by |"
    yield "|---|---|---|---|---|---|"
    for each in report.properties:
        verdict = "holds" if each.holds else f"**{len(each.counterexamples)} counterexamples**"
        yield f"| {each.id} | {each.says} | {verdict} | {each.tried} {each.of} | {each.rests_on} | {each.broken_by} |"


def _signatures(folder: Folder) -> Iterator[str]:
    assert folder.knowledge is not None
    active = [rule for rule in folder.knowledge.rules if rule.signed]
    yield "## Who signed them"
    yield ""
    if not active:
        yield f"Nobody has signed a rule under `{folder.knowledge.protocol.id}`: all are drafts, and their cards say so."
        return
    yield f"Under `{folder.knowledge.protocol.id}`, {len(active)} of {len(folder.knowledge.rules)}; the others are drafts."
    yield ""
    yield from (f"- {rule.id}: {'; '.join(rule.signed)}" for rule in active)
