"""The detail of a card in layers: because, what to consider, the working, the sources, and one line on what the card is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from cds.cards.references import in_words
from cds.cards.text import escape, fill, shown
from cds.chart.words import said
from cds.compiled.bound import Bound
from cds.compiled.knowledge import Condition, Knowledge, Variant
from cds.compiled.template import only_name
from cds.compiled.truth import truth
from cds.engine import Holding
from cds.facts import Situation
from cds.knowledge.rests import DOSED
from cds.vocabulary import VOCABULARY

LABEL = "Sirolimus in ITP"
WORKING, SOURCES = "**Working**: ", "**Sources**"
"""The first words of the layers that are read last."""
_MOST_REFERENCES = 8
_COUNTED = ("day", "month")
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

# Text that depends only on the knowledge is written once, and is kept under the hash of that knowledge.
_numbers: dict[str, dict[str, str]] = {}
_footers: dict[tuple[str, str, tuple[str, ...], bool], str] = {}


def numbers_for(knowledge: Knowledge, variant: Variant) -> dict[str, str]:
    """The cited numbers and the values of the table row that a text may name."""
    known = _numbers.get(knowledge.hash)
    if known is None:
        numbers = knowledge.definitions | knowledge.protocol.numbers
        known = _numbers[knowledge.hash] = {name: said(value) for name, value in numbers.items()}
    return known | variant.row if variant.row else known


def detail(
    holding: Holding, situation: Situation, row: dict[str, str], withheld: Sequence[str], references: Sequence[str]
) -> str:
    """The layers of a card, a blank line between them; a line that names a fact which is not known is left out.

    ``withheld``: why a suggestion is not made; ``references``: the resources that the card is based on.
    """
    facts, level = situation.facts.values, holding.level
    values, things = _parted(_filled(level.because, facts, row))
    consider = [f"- {line}" for line in (*_filled(level.consider, facts, row), *withheld)]
    working = list(_filled(level.working, facts, row))
    working += _note(holding, situation)
    compared = [_compared(test, facts) for test in holding.branch if test.number is not None]
    if compared:
        working.append(f"Compared: {'; '.join(compared)}.")
    if references:
        words = list(map(escape, in_words(references, situation)))
        more = " and others" if len(words) > _MOST_REFERENCES else ""
        working.append(f"From: {', '.join(words[:_MOST_REFERENCES])}{more}.")
    layers = [" ".join(values), "\n".join(things), "\n".join(dict.fromkeys(consider)), _as_one(working)]
    return "\n\n".join(
        [*filter(None, layers), footer(holding, situation.knowledge, bool(facts.get("itp_on_record", True)))]
    )


def layers_of(text: str) -> tuple[list[str], list[str]]:
    """The layers of a card: those that are read first, and those that are read last. Suggestions belong between the two.

    If a card is made of several findings, the working of each stays with that finding.
    """
    layers = text.split("\n\n")
    working = [at for at, each in enumerate(layers) if each.startswith(WORKING)]
    sources = [at for at, each in enumerate(layers) if each.startswith(SOURCES)]
    at = (working if len(working) == 1 else sources or [len(layers)])[0]
    return layers[:at], layers[at:]


def _note(holding: Holding, situation: Situation) -> list[str]:
    """The protocol's note on its own doses, which may be too low, if the card is about the dose of patients whom the note concerns."""
    facts, protocol = situation.facts.values, situation.knowledge.protocol
    is_dosed = holding.rule.subject in DOSED and holding.level.direction != "less" and facts.get("itp_on_record", True)
    return [protocol.note] if protocol.note and is_dosed and protocol.note_of in ("", facts.get("age_group")) else []


def _filled(templates: Iterable[str], facts: Mapping[str, Any], row: Mapping[str, str]) -> Iterator[str]:
    """The lines of a layer; a fact that is a list gives one line per item, with the item's name in bold."""
    for template in templates:
        value = facts.get(only_name(template))
        if isinstance(value, list):
            yield from (f"**{escape(each.name)}**" + (f": {escape(each.note)}" if each.note else "") for each in value)
        elif (line := fill(template, facts, row, markdown=True)) is not None:
            yield line


def _parted(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """Splits lines into values, which make one paragraph, and list items, which make a list."""
    values, things = [], []
    for line in lines:
        if line.startswith("**"):
            things.append(f"- {line}")
        else:
            values.append(line)
    return values, things


def _as_one(working: Sequence[str]) -> str:
    return WORKING + " ".join(working) if working else ""


def footer(holding: Holding, knowledge: Knowledge, itp: bool) -> str:
    """The sources with their grades, one per line, and what every card says about itself."""
    key = (knowledge.hash, holding.rule.id, holding.rule.signed, itp)
    known = _footers.get(key)
    if known is not None:
        return known
    lines = []
    for citation in holding.rule.citations:
        cited = knowledge.sources[citation.cite]
        where = f"[{cited.name}]({cited.url})" if cited.url else cited.name
        lines.append(f"- {where}, grade {citation.grade}{BASIS_WORDS[citation.basis]}")
    sources = "\n".join([SOURCES, *dict.fromkeys(lines)])
    text = _footers[key] = f"{sources}\n\n{_of_itself(holding, knowledge, itp)}"
    return text


def _of_itself(holding: Holding, knowledge: Knowledge, itp: bool) -> str:
    signatures = "; ".join(map(escape, holding.rule.signed))
    signed = f"Signed by {signatures}." if signatures else "Draft: not clinically signed off."
    if not itp:
        return f"Off label. No ITP is on record, so the ITP protocol is not applied. {signed}"
    return f"Off label. Protocol: {knowledge.protocol.title}. {signed}"


def _compared(test: Condition, facts: Mapping[str, Any]) -> str:
    fact, value = VOCABULARY[test.fact], facts[test.fact]
    assert test.number is not None
    surely = ", so" if isinstance(value, Bound) else ""
    words = f"{fact.name.replace('_', ' ')} {escape(shown(_rounded(test, value)))}{surely}"
    unit = f"{fact.unit}s" if fact.unit in _COUNTED and test.number != 1 else fact.unit
    return f"{words} {escape(test.operator)} {escape(said(test.number))} {escape(unit)}".rstrip()


def _rounded(test: Condition, value: Any) -> Any:
    """The value with one decimal more than the number it is compared with, two at most, if the two still differ and compare the same."""
    if not isinstance(value, Decimal) or test.number is None:
        return value
    places = -min(0, int(test.number.normalize().as_tuple().exponent))
    near = value.quantize(Decimal(1).scaleb(-min(2, places + 1)))
    same = near != test.number and truth(test, {test.fact: near}) == truth(test, {test.fact: value})
    return near if same else value
