"""Rewrites files that a site wrote for an earlier version: words and keys that no longer exist become those that this version reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from cds.authoring.written import text_of, tree_of
from cds.vocabulary import BOUNDS, RENAMED, REPORTS

_COMPARISON = re.compile(r"(\w+) (<=|>=|<|>) (.+)")
_RENAMED = re.compile(rf"\b({'|'.join(RENAMED)})\b")
_REPORT = re.compile(rf"\b({'|'.join(REPORTS)})\b(?P<behind>\}}|:| is (?:present|absent))")
_COMMENT = re.compile(r"(?:^|(?<=\s))(#.*)$", re.MULTILINE)
_CONSIDERED = re.compile(r"[Cc]onsider|advise")
_VALUES = re.compile(r"\{[^{}]*\}|[A-Z][\w ,()/-]*: [^{]*\{")
"""A line that is a value, or begins with the name of one."""
_GONE = "subjects"
"""A key that numbers and value sets no longer have: a signature now covers what the facts of a rule read."""


def upgraded(text: str) -> str:
    """The text of a rules file, with words and keys that no longer exist replaced by those of now; the same text if there are none."""
    before = _RENAMED.sub(lambda match: RENAMED[match[1]], text)
    before = _REPORT.sub(_as_reported, before)
    tree = tree_of(before)
    changes = [change(each) for each in _mappings(tree) for change in _CHANGES]
    if not any(changes):
        return before
    after = text_of(tree)
    lost = Counter(_COMMENT.findall(before)) - Counter(
        _COMMENT.findall(after)
    )  # comments of removed lines are kept, above everything else
    return "".join(f"{comment}\n" for comment in lost.elements()) + after


def _as_reported(match: re.Match[str]) -> str:
    """The new name: in a text and in a case, the fact as reported; in a condition, the fact itself."""
    said = "" if match["behind"].startswith(" ") else " as reported"
    return f"{REPORTS[match[1]]}{said}{match['behind']}"


def _mappings(node: Any) -> Iterator[CommentedMap]:
    """Every mapping in a file, the outermost first."""
    if isinstance(node, CommentedMap):
        yield node
        for value in list(node.values()):
            yield from _mappings(value)
    elif isinstance(node, CommentedSeq):
        for value in list(node):
            yield from _mappings(value)


def _without_subjects(node: CommentedMap) -> bool:
    return bool(node.keys() & {"means", "cite"}) and node.pop(_GONE, None) is not None


def _conditions(node: CommentedMap) -> bool:
    """Upgrade comparisons with a fact that held a bound, among the conditions under ``when`` and ``any``."""
    lists = [node[key] for key in ("when", "any") if isinstance(node.get(key), CommentedSeq)]
    changed = [_comparisons(each) for each in lists]
    return any(changed)


def _comparisons(items: CommentedSeq) -> bool:
    """Remove alternatives that another comparison in the list now covers; one that no other covers is left for its author to decide."""
    changed = False
    for at in range(len(items) - 1, -1, -1):
        changed |= _alone(items, at)
        if _of_now(items[at]) in items:
            del items[at]
            changed = True
    return changed


def _alone(items: CommentedSeq, at: int) -> bool:
    """Alternatives of which only one is left become a plain condition."""
    choice = items[at].get("any") if isinstance(items[at], CommentedMap) else None
    if not isinstance(choice, CommentedSeq) or not _comparisons(choice):
        return False
    if len(choice) == 1:
        items[at] = choice[0]
    return True


def _of_now(condition: Any) -> str:
    """A comparison with a fact that held a bound, in the direction of the bound, rewritten for the present fact; empty for any other."""
    match = _COMPARISON.fullmatch(condition) if isinstance(condition, str) else None
    if match is None or match[1] not in BOUNDS or match[2][0] != BOUNDS[match[1]][1][0]:
        return ""
    fact, comparator = BOUNDS[match[1]]
    strict = comparator in ("<", ">") or match[2] in ("<", ">")
    return f"{fact} {comparator[0]}{'' if strict else '='} {match[3]}"


def _cases(node: CommentedMap) -> bool:
    given = [node[key] for key in ("given", "background") if isinstance(node.get(key), CommentedMap)]
    changed = [_given(each) for each in given]
    return any(changed)


def _given(node: CommentedMap) -> bool:
    """Upgrade what a case gives; a level that is given twice is left for its author to decide."""
    changed = False
    for name in [name for name in node if name in BOUNDS]:
        (fact, comparator), value = BOUNDS[name], node[name]
        if node.get(fact, "absent") != "absent" and value != "absent":
            continue
        place = list(node).index(name)
        del node[name]
        if value != "absent":
            node.pop(fact, None)
            node.insert(min(place, len(node)), fact, DoubleQuotedScalarString(f"{comparator}{value}"))
        changed = True
    return changed


def _layers(node: CommentedMap) -> bool:
    """Divide the lines of a card: values first, what to consider, and the rest as the working."""
    lines = node.get("detail")
    if not isinstance(lines, CommentedSeq) or not (node.keys() & {"summary", "when", "indicator"}):
        return False
    place = list(node).index("detail")
    del node["detail"]
    divided: dict[str, CommentedSeq] = {name: CommentedSeq() for name in ("because", "consider", "working")}
    for line in lines:
        divided[_layer_of(str(line))].append(line)
    whole = "when" in node  # a level, whose lines replaced the card's
    for offset, (name, said) in enumerate((name, said) for name, said in divided.items() if said or whole):
        node.insert(place + offset, name, said)
    return True


def _layer_of(line: str) -> str:
    if _CONSIDERED.search(line):
        return "consider"
    return "because" if _VALUES.match(line) else "working"


_CHANGES: tuple[Callable[[CommentedMap], bool], ...] = (_without_subjects, _conditions, _cases, _layers)
