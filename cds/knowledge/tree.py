"""YAML with places: every value remembers its line, and numbers keep the text they were written in."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_BYTES = 1_000_000
_TOO_LARGE = "is larger than a rule file may be (1 MB)"
MAX_DEPTH = 20
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_OPENERS, _MOST_OPENERS = ("[", "{", "- ", "? "), 5_000
_STANDARD = "tag:yaml.org,2002:"
_SCALARS = ("str", "bool", "int", "float", "null", "timestamp")


class Fault(Exception):
    """Something wrong in a rules folder, with its place. ``str`` is the sentence to show."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path, self.line, self.message = path, line, message


@dataclass
class Document:
    """A YAML file as plain values, with the line of every place in it.

    ``lines`` is keyed by the path to the value, e.g. ``("cases", 0, "given")``.
    """

    path: str
    value: Any
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def line(self, *place: str | int) -> int:
        """The line of ``place``, or of the nearest value around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read(path: Path, shown: str) -> Document:
    """Read one YAML file.

    Numbers become Decimal, ``true`` and ``false`` bool, everything else text.

    Raises:
        Fault: not readable, no regular file, too large, not YAML, a duplicate key, an alias or a tag.
    """
    try:
        text = _bytes(path, shown).decode("utf-8")
    except UnicodeDecodeError:
        raise Fault(shown, 1, "is not UTF-8 text") from None
    except OSError as error:
        raise Fault(shown, 1, f"cannot be read: {error.strerror}") from None
    return plain(text, shown)


def _bytes(path: Path, shown: str) -> bytes:
    """The content of a regular file; its type is checked before reading, because a pipe would block the reader. Raises Fault or OSError."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Fault(shown, 1, "is no regular file")
        if found.st_size > MAX_BYTES:
            raise Fault(shown, 1, _TOO_LARGE)
        return file.read(MAX_BYTES + 1)


@lru_cache(maxsize=2048)  # the rules are read once for each protocol, and the documents are never changed
def plain(text: str, shown: str) -> Document:
    """The same as :func:`read`, for YAML text from elsewhere. Raises Fault."""
    if text.lstrip("\ufeff").startswith("%"):
        raise Fault(shown, 1, "directives (%YAML, %TAG) are not allowed")
    if len(text) > MAX_BYTES:
        raise Fault(shown, 1, _TOO_LARGE)
    try:
        node = _composed(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Fault(shown, mark.line + 1 if mark else 1, f"is not YAML: {error.problem or error.context}") from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise Fault(shown, 1, f"is not YAML: {type(error).__name__}") from None
    document = Document(shown, None)
    if node is None:
        raise Fault(shown, 1, "is empty")
    document.value = _plain(node, (), document, set())
    return document


def _composed(text: str) -> Node | None:
    """Parses with the C parser, which is five times as fast; what it does not take, with the other one, whose messages name the fault."""
    with contextlib.suppress(YAMLError, ValueError, RecursionError):
        if not _may_be_deep(text):
            return cast("Node | None", YAML(typ="safe").compose(text))
    return cast("Node | None", YAML(typ="safe", pure=True).compose(text))


def _may_be_deep(text: str) -> bool:
    """Whether something may be nested so deeply that the parser in C would use up its stack."""
    return sum(map(text.count, _OPENERS)) > _MOST_OPENERS


def _plain(node: Node, place: tuple[str | int, ...], document: Document, seen: set[int]) -> Any:
    line = node.start_mark.line + 1
    if id(node) in seen:
        raise Fault(document.path, line, "aliases (*name) are not allowed; write the value out")
    seen.add(id(node))
    if len(place) > MAX_DEPTH:
        raise Fault(document.path, line, "is nested too deeply")
    document.lines[place] = line
    if isinstance(node, ScalarNode):
        return _scalar(node, document, line)
    if str(node.tag) not in (_STANDARD + "map", _STANDARD + "seq"):
        raise Fault(document.path, line, f"tags are not allowed: {node.tag}")
    if isinstance(node, SequenceNode):
        return [_plain(item, (*place, index), document, seen) for index, item in enumerate(node.value)]
    assert isinstance(node, MappingNode)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, ScalarNode):
            raise Fault(document.path, line, "keys must be plain words")
        key = str(key_node.value)
        if key in result:
            raise Fault(document.path, key_node.start_mark.line + 1, f"'{key}' is given twice")
        if str(value_node.tag) == _STANDARD + "null":  # its own place is the line after the key's
            raise Fault(document.path, key_node.start_mark.line + 1, f"'{key}' has no value")
        result[key] = _plain(value_node, (*place, key), document, seen)
        document.lines[(*place, key)] = key_node.start_mark.line + 1
    return result


def _scalar(node: ScalarNode, document: Document, line: int) -> Any:
    text = str(node.value)
    tag = str(node.tag)
    kind = tag.removeprefix(_STANDARD)
    if kind not in _SCALARS:
        raise Fault(document.path, line, f"tags are not allowed: {tag}")
    if node.style in ("'", '"', "|", ">"):
        return text
    if kind == "bool":
        return text.lower() == "true"
    if kind == "null":
        raise Fault(document.path, line, "has no value")
    if kind in ("int", "float"):
        if not _NUMBER.fullmatch(text):
            raise Fault(document.path, line, f"'{text}' is not a plain number; write it out in digits")
        return Decimal(text)
    return text
