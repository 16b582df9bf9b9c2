"""The normal form of a rule file: keys in one order, one layout, a sentence on one line, every comment kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml.error import YAMLError

from cds.authoring.scenarios import FOLDER
from cds.authoring.schemas import KINDS
from cds.authoring.written import text_of, tree_of
from cds.knowledge.read import SUBJECTS
from cds.knowledge.shapes import Shape
from cds.knowledge.tree import Fault, plain, read

_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_KEY = re.compile(r"([a-z_]+):")
_FOLDERS = {"protocols": "protocol", "valuesets": "valueset", FOLDER: "scenario"} | dict.fromkeys(SUBJECTS, "rule")


def kind_of(path: Path) -> str:
    """Which kind of file ``path`` is, by its name and its folder; empty if it is not a file of a rules folder."""
    if path.suffix != ".yaml":
        return ""
    if path.stem in KINDS:
        return path.stem
    folder = FOLDER if path.parent.parent.name == FOLDER else path.parent.name  # scenarios are in folders by subject
    return _FOLDERS.get(folder, "")


def normal(path: Path, shown: str, upgraded: Callable[[str], str] | None = None) -> str:
    """The text of a file in its normal form, first passed through ``upgraded`` if that is given.

    Raises:
        Fault: it cannot be read, or is none of our files; or its normal form would not say the same (then it is left alone).
    """
    before = read(path, shown)
    kind = kind_of(path)
    if not kind:
        raise Fault(
            shown, 1, "is no file of a rules folder: its folder says what it is, as in rules/trough/my-rule.yaml"
        )
    shape = KINDS[kind][1]
    written = path.read_text(encoding="utf-8")
    if upgraded is not None:
        try:
            written = upgraded(written)
        except YAMLError as error:
            why = str(error).splitlines()[0]
            raise Fault(
                shown, 1, f"cannot be upgraded ({why}): does it name one thing in the old words and the new?"
            ) from None
        before = plain(written, shown)
    text = written
    if isinstance(before.value, dict) and isinstance(shape, type) and issubclass(shape, Shape):
        text = _ordered(text, list(shape.model_fields))
    text = text_of(tree_of(text))
    if plain(text, shown).value != before.value or _comments(text) != _comments(written):
        raise Fault(shown, 1, "cannot be put in its normal form without changing what it says; it is left as it is")
    return text


def _ordered(text: str, keys: list[str]) -> str:
    """``text`` with its top-level keys in the order of ``keys``; a comment goes with the key below it."""
    head: list[str] = []
    blocks: list[tuple[str, list[str]]] = []
    waiting: list[str] = []  # comments and blank lines that belong to what follows
    for line in text.splitlines(keepends=True):
        match = _KEY.match(line)
        if match:
            if not blocks:  # comments separated from the first key by an empty line are about the file
                gap = max((at for at, each in enumerate(waiting) if not each.strip()), default=-1)
                head, waiting = waiting[: gap + 1], waiting[gap + 1 :]
            blocks.append((match[1], [*waiting, line]))
            waiting = []
        elif not line.strip() or line.startswith("#"):
            waiting.append(line)
        elif blocks:
            blocks[-1][1].extend([*waiting, line])
            waiting = []
        else:
            return text  # it does not begin with a key: leave it to the layout
    place = {key: at for at, key in enumerate(keys)}
    blocks.sort(key=lambda block: place.get(block[0], len(place)))
    return "".join([*head, *(line for _, lines in blocks for line in _ended(lines)), *waiting])


def _ended(lines: list[str]) -> list[str]:
    """The lines, with a newline added if the last line of the file lacks it."""
    return [*lines[:-1], lines[-1] if lines[-1].endswith("\n") else lines[-1] + "\n"]


def _comments(text: str) -> list[str]:
    """The comments of a file, whatever their order; text that looks like a comment is found in both versions alike."""
    bare = _QUOTED.sub('""', text)
    return sorted(match.strip() for match in re.findall(r"(?:^|\s)#.*$", bare, re.MULTILINE))
