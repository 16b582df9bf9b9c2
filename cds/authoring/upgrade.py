"""Files that a site wrote for an earlier version, as this one reads them: words and keys that are gone are rewritten."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from cds.authoring.written import text_of, tree_of
from cds.vocabulary import BOUNDS, RENAMED, REPORTS

_COMPARISON = re.compile(r"(\w+) (<=|>=|<|>) (.+)")
_RENAMED = re.compile(rf"\b({'|'.join(RENAMED)})\b")
_REPORT = re.compile(rf"\b({'|'.join(REPORTS)})\b(?P<behind>\}}|:| is (?:present|absent))")
_GONE = "subjects"
"""A key of numbers and value sets: a signature covers what the facts of a rule read."""


def upgraded(text: str) -> str:
    """The text of a file of a rules folder, with what is gone in the words of now; the same text where nothing is."""
    before = _RENAMED.sub(lambda match: RENAMED[match[1]], text)
    before = _REPORT.sub(_as_reported, before)
    tree = tree_of(before)
    changes = [change(each) for each in _mappings(tree) for change in _CHANGES]
    return text_of(tree) if any(changes) else before


def _as_reported(match: re.Match[str]) -> str:
    """In a text and in a case what the record says of a fact; in a condition the fact."""
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
    """Comparisons with a fact that held a bound, among the conditions under ``when`` and ``any``."""
    lists = [node[key] for key in ("when", "any") if isinstance(node.get(key), CommentedSeq)]
    changed = [_comparisons(each) for each in lists]
    return any(changed)


def _comparisons(items: CommentedSeq) -> bool:
    changed = False
    for at in range(len(items) - 1, -1, -1):
        changed |= _alone(items, at)
        now = _of_now(items[at])
        if now is None:
            continue
        changed = True
        if now in items:
            del items[at]
        else:
            items[at] = DoubleQuotedScalarString(now) if isinstance(items[at], DoubleQuotedScalarString) else now
    return changed


def _alone(items: CommentedSeq, at: int) -> bool:
    """Alternatives of which one is left are one condition."""
    choice = items[at].get("any") if isinstance(items[at], CommentedMap) else None
    if choice is None or not _comparisons(choice):
        return False
    if len(choice) == 1:
        items[at] = choice[0]
    return True


def _of_now(condition: Any) -> str | None:
    """A comparison with such a fact, as the fact of now is compared; None for any other condition."""
    match = _COMPARISON.fullmatch(condition) if isinstance(condition, str) else None
    if match is None or match[1] not in BOUNDS:
        return None
    fact, comparator = BOUNDS[match[1]]
    strict = comparator in ("<", ">") or match[2] in ("<", ">")
    return f"{fact} {comparator[0]}{'' if strict else '='} {match[3]}"


def _given(node: CommentedMap) -> bool:
    """What a case gives."""
    names = [name for name in node if name in BOUNDS]
    for name in names:
        place, value = list(node).index(name), node.pop(name)
        fact, comparator = BOUNDS[name]
        node.insert(place, fact, value if value == "absent" else DoubleQuotedScalarString(f"{comparator}{value}"))
    return bool(names)


_CHANGES: tuple[Callable[[CommentedMap], bool], ...] = (_without_subjects, _conditions, _given)
