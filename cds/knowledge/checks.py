"""What makes a rule sound beyond its shape: facts guaranteed, numbers cited, cases complete."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from cds.compiled.bound import bound_of
from cds.compiled.knowledge import Level, Rule, Source
from cds.compiled.template import AS_REPORTED, named, named_as_reported, split
from cds.knowledge.conditions import Unclear, guaranteed, known_fact
from cds.knowledge.rules import Names
from cds.knowledge.shapes import AnyOf, RuleShape
from cds.knowledge.tree import Document, Fault
from cds.vocabulary import VOCABULARY

TODO = "TODO"
"""The beginning of a text that is still to be written; a rule with such a text is not sound."""

_BRACES = re.compile(r"\{[^{}]*\}?")
_ITEM = "name"  # in the label of a button made for each item of a list: that item
_NUMBER_WORD = re.compile(r"(?<![\w.])[0-9]+(?:\.[0-9]+)?(?!\w)")


def check_texts(
    document: Document,
    shape: RuleShape,
    sources: dict[str, Source],
    faults: list[Fault],
    subject: str,
    subjects: Sequence[str],
    stem: str,
) -> None:
    """Checks the rule's place and its sources."""
    if shape.id != stem:
        faults.append(Fault(document.path, document.line("id"), f"the file must be called {shape.id}.yaml"))
    if subject not in subjects:
        faults.append(Fault(document.path, 1, f"there is no subject '{subject}'; there is: {', '.join(subjects)}"))
    for index, citation in enumerate(shape.sources):
        if citation.cite not in sources:
            faults.append(
                Fault(
                    document.path, document.line("sources", index), f"source '{citation.cite}' is not in sources.yaml"
                )
            )
            continue
        kind = sources[citation.cite].kind
        if (kind == "judgement" and citation.grade != "D") or (kind == "study" and citation.grade == "A"):
            sentence = f"a {kind} cannot carry grade {citation.grade}: " + (
                "judgement is D" if kind == "judgement" else "A is for labels and guidelines"
            )
            faults.append(Fault(document.path, document.line("sources", index), sentence))
    faults += [Fault(document.path, line, f"is still to be written ({TODO})") for line in _unwritten(document)]
    if not shape.levels and not shape.when:
        faults.append(Fault(document.path, document.line("id"), "'when' is missing"))
    if not shape.levels and shape.card.indicator is None:
        faults.append(Fault(document.path, document.line("card"), "'indicator' is missing"))


def _unwritten(document: Document, value: Any = None, place: tuple[str | int, ...] = ()) -> Iterator[int]:
    """The lines of texts that are marked as still to be written."""
    value = document.value if value is None else value
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _unwritten(document, each, (*place, key))
    elif isinstance(value, str) and value.startswith(TODO):
        yield document.line(*place)


def check_rule(document: Document, shape: RuleShape, rule: Rule, names: Names, faults: list[Fault]) -> None:
    """Checks that numbers in conditions are cited, templates name only what exists, and cases use known facts."""
    _check_numbers(document, shape, faults)
    for variant in rule.variants:
        if not variant.branches:
            continue  # this row of the table can never hold
        level = rule.levels[variant.level]
        known = guaranteed(variant.branches)
        others = names.values(variant.row)
        place = ("levels", variant.level) if shape.levels else ("card",)
        _check_templates(document, place, level, known, set(others), faults)
        for suggestion in level.suggestions:
            for fact in filter(None, (suggestion.dose, suggestion.unless, suggestion.since)):
                _known(document, place, fact, faults)
            if suggestion.test and suggestion.test not in names.tests:
                known_tests = ", ".join(names.tests) or "none"
                sentence = f"there is no test '{suggestion.test}' in schedule.yaml; there is: {known_tests}"
                _once(faults, Fault(document.path, document.line(*place), sentence))
            if suggestion.action == "change_dose" and not suggestion.dose:
                faults.append(
                    Fault(document.path, document.line(*place), "a change_dose suggestion needs 'daily_dose'")
                )
        if shape.levels or len(rule.variants) == 1:
            continue
        break  # without levels, every row has the same texts
    _check_cases(document, shape, faults)


def _known(document: Document, place: tuple[str | int, ...], fact: str, faults: list[Fault]) -> None:
    try:
        known_fact(fact)
    except Unclear as unclear:
        _once(faults, Fault(document.path, document.line(*place), str(unclear)))


def _once(faults: list[Fault], fault: Fault) -> None:
    if str(fault) not in map(str, faults):
        faults.append(fault)


def _check_numbers(document: Document, shape: RuleShape, faults: list[Fault]) -> None:
    stated = {Decimal(number) for citation in shape.sources for number in _NUMBER_WORD.findall(citation.states)}
    groups: list[tuple[tuple[str | int, ...], str | AnyOf]] = [(("when", i), c) for i, c in enumerate(shape.when)]
    for number, level in enumerate(shape.levels):
        groups += [(("levels", number, "when", i), c) for i, c in enumerate(level.when)]
    for place, condition in groups:
        for text in condition.any if isinstance(condition, AnyOf) else [condition]:
            words = text.split()
            compares = len(words) > 2 and words[1] in ("<", "<=", ">", ">=") and not words[2].startswith("{")
            if compares and Decimal(words[2]) not in stated:
                sentence = f"the number {words[2]} stands in no source of this rule"
                faults.append(Fault(document.path, document.line(*place), sentence))


def _check_templates(
    document: Document,
    place: tuple[str | int, ...],
    level: Level,
    known: set[str],
    others: set[str],
    faults: list[Fault],
) -> None:
    labels = [each.label for each in level.suggestions]
    for text in (*level.texts, *labels):
        for braces in _BRACES.findall("".join(split(text)[::2])):
            _once(faults, Fault(document.path, document.line(*place), f"'{braces}' is no name of a fact or a number"))
        for name in named_as_reported(text):
            _known(document, place, name, faults)
            if name in VOCABULARY and not VOCABULARY[name].report:
                sentence = f"'{{{name} as reported}}': the record says nothing else of {name}; write '{{{name}}}'"
                _once(faults, Fault(document.path, document.line(*place), sentence))
    for name in named(level.summary):
        if name not in known and name not in others:
            _once(
                faults,
                Fault(
                    document.path,
                    document.line(*place, "summary"),
                    f"summary: {{{name}}} may be unknown when the rule holds; test it in 'when' or leave it out",
                ),
            )
    for layer in ("because", "consider", "working"):
        for index, line in enumerate(getattr(level, layer)):
            for name in named(line):
                if name not in others:
                    _known(document, (*place, layer, index), name, faults)
    for name in set(named(*labels)) - others - {_ITEM}:
        _known(document, (*place, "suggestions"), name, faults)


def _check_cases(document: Document, shape: RuleShape, faults: list[Fault]) -> None:
    titles = [case.case for case in shape.cases]
    for index, case in enumerate(shape.cases):
        if titles.index(case.case) != index:
            faults.append(Fault(document.path, document.line("cases", index), f"two cases are called '{case.case}'"))
        for name, value in {**shape.background, **case.given}.items():
            place = ("cases", index, "given", name)
            reported = name.endswith(AS_REPORTED)
            try:
                fact = known_fact(name.removesuffix(AS_REPORTED))
            except Unclear as unclear:
                _once(faults, Fault(document.path, document.line(*place), str(unclear)))
                continue
            fits = {"number": Decimal, "flag": bool, "code": str, "text": str, "names": list}[fact.type]
            if reported and not fact.report:
                _once(
                    faults, Fault(document.path, document.line(*place), f"the record says nothing else of {fact.name}")
                )
            if (reported and isinstance(value, str)) or (fact.bounded and isinstance(value, str) and bound_of(value)):
                continue
            if value != "absent" and not isinstance(value, fits):
                _once(
                    faults, Fault(document.path, document.line(*place), f"'{name}' takes a {fact.type}, not '{value}'")
                )
            elif fact.type == "code" and value != "absent" and value not in fact.codes:
                _once(
                    faults,
                    Fault(
                        document.path, document.line(*place), f"{name} is one of {', '.join(fact.codes)}; not '{value}'"
                    ),
                )
        if case.hook and case.hook not in shape.hooks:
            faults.append(Fault(document.path, document.line("cases", index), f"the rule does not run on {case.hook}"))


def check_yields(rules: Sequence[Rule], documents: dict[str, Document], named: set[str], faults: list[Fault]) -> None:
    """Checks that rules yield only to rules that exist (``named``, sound or not), and never in a circle."""
    known = {rule.id: rule for rule in rules}

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        if start in seen or start not in known:
            return False
        seen.add(start)
        return any(other == goal or reaches(other, goal, seen) for other in known[start].yields_to)

    for rule in rules:
        document = documents[rule.id]
        for other in {*rule.yields_to, *(o for level in rule.levels for s in level.suggestions for o in s.yields_to)}:
            if other not in named:
                faults.append(
                    Fault(document.path, document.line("yields_to"), f"yields_to: there is no rule '{other}'")
                )
        if reaches(rule.id, rule.id, set()):
            faults.append(
                Fault(
                    document.path,
                    document.line("yields_to"),
                    "yields_to: the rules give way to one another in a circle",
                )
            )
