"""The detail of a card: the working, what was compared, from which resources, and the sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cds.cards.text import escape, fill, shown
from cds.chart.words import said
from cds.compiled.bound import Bound
from cds.compiled.knowledge import Condition, Knowledge, Variant
from cds.compiled.template import only_name
from cds.engine import Holding
from cds.facts import Situation
from cds.vocabulary import VOCABULARY

LABEL = "Sirolimus in ITP"
_MOST_REFERENCES = 8
_DOSED = ("dosing", "trough")
GRADES = {
    "A": "regulator label or international guideline",
    "B": "consistent clinical or pharmacokinetic studies",
    "C": "small uncontrolled study",
    "D": "convention or judgement",
}
BASIS_WORDS = {
    "RECALLED": "; recalled, not checked against the source",
    "JUDGEMENT": "",
    "DERIVED": "; derived",
    "SEEN": "",
}

# What only depends on the knowledge is written once; its hash stands for all it says.
_numbers: dict[str, dict[str, str]] = {}
_footers: dict[tuple[str, str, tuple[str, ...], bool], list[str]] = {}


def numbers_for(knowledge: Knowledge, variant: Variant) -> dict[str, str]:
    """The cited numbers and the table's row that a text may name."""
    known = _numbers.get(knowledge.hash)
    if known is None:
        numbers = knowledge.definitions | knowledge.protocol.numbers
        known = _numbers[knowledge.hash] = {name: said(value) for name, value in numbers.items()}
    return known | variant.row if variant.row else known


def detail(
    holding: Holding, situation: Situation, row: dict[str, str], withheld: Sequence[str], references: Sequence[str]
) -> str:
    """The lines of a card; a line that names a fact which is not known is left out."""
    facts = situation.facts.values
    lines: list[str] = []
    for template in holding.level.detail:
        value = facts.get(only_name(template))
        if isinstance(value, list):
            lines += [f"- **{escape(item.name)}**" + (f": {escape(item.note)}" if item.note else "") for item in value]
        elif (line := fill(template, facts, row, markdown=True)) is not None:
            lines.append(f"- {line}")
    lines += [f"- {text}" for text in withheld if not any(text in line for line in lines)]
    compared = [_compared(test, facts) for test in holding.branch if test.number is not None]
    if compared:
        lines.append("- **Compared**: " + "; ".join(compared))
    if references:
        more = " and others" if len(references) > _MOST_REFERENCES else ""
        lines.append("- **From**: " + ", ".join(map(escape, references[:_MOST_REFERENCES])) + more)
    return "\n".join(lines + footer(holding, situation.knowledge, bool(facts.get("itp_on_record", True))))


def footer(holding: Holding, knowledge: Knowledge, itp: bool) -> list[str]:
    """The sources with their grade, and what every card says of itself."""
    key = (knowledge.hash, holding.rule.id, holding.rule.signed, itp)
    known = _footers.get(key)
    if known is not None:
        return known
    lines = []
    for citation in holding.rule.citations:
        cited = knowledge.sources[citation.cite]
        where = f"[{cited.citation}]({cited.url})" if cited.url else f"{cited.citation}."
        graded = f"grade {citation.grade}, {GRADES[citation.grade]}{BASIS_WORDS[citation.basis]}"
        lines.append(f"- **Source** ({graded}): {citation.states} {where}")
    signatures = "; ".join(map(escape, holding.rule.signed))
    signed = f"Signed off by {signatures}." if signatures else "This rule is a draft: not clinically signed off."
    protocol = f"{LABEL} is off label. Protocol: {knowledge.protocol.title}."
    if knowledge.protocol.note and holding.rule.subject in _DOSED:
        protocol += f" {knowledge.protocol.note}"
    lines.append(f"- {protocol if itp else 'No ITP is on record, so the ITP protocol is not applied.'} {signed}")
    _footers[key] = lines
    return lines


def _compared(test: Condition, facts: Mapping[str, Any]) -> str:
    fact, value = VOCABULARY[test.fact], facts[test.fact]
    assert test.number is not None
    surely = ", so" if isinstance(value, Bound) else ""
    words = f"{fact.name.replace('_', ' ')} {escape(shown(value))}{surely}"
    return f"{words} {escape(test.operator)} {escape(said(test.number))} {escape(fact.unit)}"
