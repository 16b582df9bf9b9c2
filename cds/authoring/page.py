"""The rules as a page that a clinician reads from top to bottom: docs/rules.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cds.cards.detail import BASIS_WORDS, GRADES
from cds.cards.why import in_words
from cds.chart.words import said
from cds.compiled.knowledge import Citation, Knowledge, Level, Rule, Suggestion
from cds.compiled.template import filled, filled_where_known
from cds.knowledge.files import Folder, RuleFile
from cds.knowledge.read import SUBJECTS
from cds.knowledge.shapes import AnyOf, CaseShape, Conditions, ExpectedCard
from cds.vocabulary import VOCABULARY

_HEAD = """# The rules, one by one

Written by `sirolimus-cds docs` from `rules/`; a test keeps it current. Numbers are those of the protocol `{protocol}`
({title}) and of `rules/definitions.yaml`. Every rule is a draft until a clinician has signed it. The words for facts are explained
[at the end](#facts).

Grades: {grades}. *Recalled* means general knowledge that was not checked against the source.
"""


def page(folder: Folder) -> str:
    """The page for sound rules, in Markdown."""
    knowledge = folder.knowledge
    assert knowledge is not None, "only sound rules have a page"
    grades = "; ".join(f"**{grade}** {words}" for grade, words in GRADES.items())
    protocol = knowledge.protocol
    lines = [_HEAD.format(protocol=protocol.id, title=protocol.title, grades=grades)]
    files = {subject: [file for file in folder.files if file.rule.subject == subject] for subject in SUBJECTS}
    for subject, several in files.items():
        if several:
            lines += [f"## {subject.capitalize()}", ""]
            lines += [f"- [{file.rule.id}](#{file.rule.id}): {file.rule.title}" for file in several]
            lines += [""]
    numbers = {name: said(number.value) for name, number in folder.names.numbers.items()}
    for several in files.values():
        for file in several:
            lines += _rule(file, knowledge, numbers)
    lines += _facts(files, numbers)
    return "\n".join(lines).rstrip("\n") + "\n"


def rule_page(file: RuleFile, folder: Folder) -> str:
    """One rule, in Markdown, as a page of its own."""
    assert folder.knowledge is not None, "only sound rules have a page"
    numbers = {name: said(number.value) for name, number in folder.names.numbers.items()}
    return "\n".join(_rule(file, folder.knowledge, numbers)).replace("### ", "## ", 1)


def _rule(file: RuleFile, knowledge: Knowledge, numbers: dict[str, str]) -> Iterator[str]:
    rule, shape = file.rule, file.shape
    yield f"### {rule.id}"
    yield ""
    yield f"{rule.title}. *{_signed(rule)}.* Speaks on {', '.join(rule.hooks)}."
    if rule.yields_to:
        yield f"Silent where {' or '.join(rule.yields_to)} speaks."
    if rule.merge:
        yield f"Makes one card with the others of the group *{rule.merge}*."
    yield ""
    yield "**When** all of these hold:"
    yield ""
    yield from (f"- {words}" for words in condition_words(shape.when, numbers))
    if shape.table:
        yield from _table([variant.row for variant in rule.variants if variant.level == 0])
    for number, level in enumerate(rule.levels):
        yield ""
        if shape.levels:
            also = "; ".join(condition_words(shape.levels[number].when, numbers))
            yield f"**{level.indicator.capitalize()}**, if also {also}:"
        else:
            yield f"**{level.indicator.capitalize()}**:"
        yield ""
        yield from _card(level, numbers)
    if rule.override:
        yield ""
        yield "**May be set aside** because: " + "; ".join(reason.display.lower() for reason in rule.override) + "."
    yield ""
    yield "**Sources**"
    yield ""
    yield from (f"- {_citation(citation, knowledge)}" for citation in rule.citations)
    yield ""
    yield from _cases(shape.cases, shape.background)
    yield ""


def _signed(rule: Rule) -> str:
    return "Signed off by " + "; ".join(rule.signed) if rule.signed else "Draft"


def condition_words(when: Conditions, numbers: dict[str, str]) -> list[str]:
    """Each condition as a clinician would say it; ``numbers`` are filled in."""
    return [
        " **or** ".join(in_words(filled_where_known(each, numbers.get)) for each in item.any)
        if isinstance(item, AnyOf)
        else in_words(filled_where_known(item, numbers.get))
        for item in when
    ]


def _card(level: Level, numbers: dict[str, str]) -> Iterator[str]:
    yield f"> {_plain(filled_where_known(level.summary, numbers.get))}"
    yield ">"
    for name, lines in (("Because", level.because), ("Consider", level.consider), ("Working", level.working)):
        if lines:
            yield f"> {name}:"
            yield ">"
            yield from (f"> - {_plain(filled_where_known(line, numbers.get))}" for line in lines)
            yield ">"
    if level.suggestions:
        yield ">"
        yield from (f"> Suggestion: {_plain(_suggestion(each, numbers))}" for each in level.suggestions)


def _suggestion(suggestion: Suggestion, numbers: dict[str, str]) -> str:
    label = filled_where_known(suggestion.label, numbers.get)
    which = "all of" if suggestion.action == "order_test" else "one for each of"
    return f"{label} ({which} {suggestion.each.replace('_', ' ')})" if suggestion.each else label


def _plain(text: str) -> str:
    """A template with its names as words: what is in braces is filled from the chart."""
    return text.replace("_", " ").replace("|", "\\|").replace("<", "\\<")


def _citation(citation: Citation, knowledge: Knowledge) -> str:
    source = knowledge.sources[citation.cite]
    where = f"[{source.citation}]({source.url})" if source.url else source.citation
    return f"{citation.states} {where}. *Grade {citation.grade}{BASIS_WORDS[citation.basis]}.*"


def _table(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """The rows of the protocol for which a rule is tried."""
    if not rows:
        return
    yield ""
    yield "| " + " | ".join(name.replace("_", " ") for name in rows[0]) + " |"
    yield "|" + "---|" * len(rows[0])
    yield from ("| " + " | ".join(row.values()) + " |" for row in rows)


def _cases(cases: Sequence[CaseShape], background: dict[str, Any]) -> Iterator[str]:
    yield "**Cases**" + (f", all with {_given(background)}" if background else "")
    yield ""
    yield "| case | given | card |"
    yield "|---|---|---|"
    for case in cases:
        where = "; ".join(
            each for each in (case.hook or "", f"protocol {case.protocol}" if case.protocol else "") if each
        )
        card = case.card
        words = f"{card.indicator}: {card.summary}" if isinstance(card, ExpectedCard) else card
        title = _plain(case.case) + (f" ({where})" if where else "")
        yield f"| {title} | {_given(case.given) or '-'} | {_plain(words)} |"


def _given(given: dict[str, Any]) -> str:
    parts = []
    for name, value in given.items():
        words = (
            ", ".join(map(str, value))
            if isinstance(value, list)
            else str(value).lower()
            if value is True or value is False
            else str(value)
        )
        parts.append(f"{name.replace('_', ' ')}: {_plain(words)}")
    return "; ".join(parts)


def _facts(files: dict[str, list[RuleFile]], numbers: dict[str, str]) -> Iterator[str]:
    """The facts that the rules compare, with their units and meanings."""
    used = {
        test.fact
        for several in files.values()
        for file in several
        for variant in file.rule.variants
        for branch in variant.branches
        for test in branch
    }
    yield "## Facts"
    yield ""
    yield "| fact | unit | meaning |"
    yield "|---|---|---|"
    for fact in VOCABULARY.values():
        if fact.name in used:
            meaning = filled(fact.meaning, numbers.get)
            assert meaning is not None, "the plan guarantees the numbers of a meaning"
            meaning += f"; as reported: {fact.report}" if fact.report else ""
            yield f"| {fact.name.replace('_', ' ')} | {fact.unit or '-'} | {_plain(meaning)} |"
