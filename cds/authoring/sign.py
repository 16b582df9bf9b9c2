"""Put a signature under rules as they are now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from cds.authoring.written import replace, text_of, tree_of
from cds.knowledge.files import Folder, RuleFile
from cds.knowledge.rests import facts_named, meanings_of_facts
from cds.knowledge.reviews import FILE
from cds.knowledge.shapes import NAME
from cds.knowledge.tree import Fault

_HEAD = """# Who signed which rule, written by `sirolimus-cds sign`. `meaning` is the hash of what was signed: the rule, the numbers of
# its protocol, and the definitions and value sets that its facts read. When one of them changes, the rule is a draft again.

"""


class Unsignable(Exception):
    """A rule that cannot be signed as it is; ``str`` says why."""


def unfit_name(text: str) -> str:
    """Why a name or a role cannot be used on a card and in a file; empty if it can."""
    if not text.strip():
        return "must say who signs, and as what"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not UTF-8 text"
    return "" if re.fullmatch(NAME, text.strip()) else "may hold no line break and none of < > | * _ ` [ ]"


def recalled(file: RuleFile, read: Folder) -> str:
    """Why a rule cannot be signed: a source, or a number that it names, is recalled. Empty where it can."""
    cited = [citation.cite for citation in file.rule.citations if citation.basis == "RECALLED"]
    if cited:
        return (
            f"rests on recalled knowledge ({', '.join(cited)}): find the source, say what it states and change 'basis' "
            "before it is signed"
        )
    if new := sorted(facts_named(file.rule) - meanings_of_facts().keys()):
        return f"names facts of which this program does not say what they mean ({', '.join(new)}): run 'make fingerprint ARGS=--write'"
    known = read.names.numbers.items()
    named = [key for key, number in known if number.basis == "RECALLED" and f"{{{key}}}" in str(file.shape)]
    return (
        f"names numbers that are recalled ({', '.join(named)}): find their source before it is signed" if named else ""
    )


def sign(read: Folder, into: Path, rules: Sequence[str], by: str, role: str, on: date) -> list[str]:
    """Sign ``rules`` in the ``reviews.yaml`` of the folder ``into``. Returns what was done, one line per rule.

    ``read`` are the rules under the protocol to sign for, which ``check`` has found sound.

    Raises:
        Unsignable: there is no such rule, or it rests on recalled knowledge. Nothing is written.
        OSError: the file cannot be written.
    """
    assert read.knowledge is not None, "only sound rules are signed"
    knowledge = read.knowledge
    for name in rules:
        file = next((each for each in read.files if each.rule.id == name), None)
        if file is None:
            raise Unsignable(f"there is no rule '{name}'")
        if why := recalled(file, read):
            raise Unsignable(f"{name} {why}")
    path = into / FILE
    text = path.read_text(encoding="utf-8") if path.is_file() else _HEAD
    tree = tree_of(text)
    for name in rules:
        entry = tree.setdefault(name, CommentedMap())
        kept = [each for each in entry.get("signatures", []) if not _same(each, knowledge.protocol.id, by)]
        kept.append(CommentedMap(protocol=knowledge.protocol.id, meaning=read.meanings[name], by=by, role=role, on=on))
        entry["signatures"] = kept
    written = text_of(tree)
    replace(path, written if text is not _HEAD else _HEAD + written)
    return [f"{name}: signed under {knowledge.protocol.id} as it is now ({read.meanings[name]})" for name in rules]


def _same(signature: CommentedMap, protocol: str, by: str) -> bool:
    """Whether a signature is by that person under that protocol: a newer one replaces it."""
    return bool(signature.get("protocol") == protocol and signature.get("by") == by)


def unsigned(read: Folder) -> list[Fault]:
    """Each rule that is not signed as it is now, in words: never signed, or changed since."""
    assert read.knowledge is not None
    protocol = read.knowledge.protocol.id
    faults = []
    for file in read.files:
        if file.rule.status == "active":
            continue
        mine = [each for each in read.signatures if (each.rule, each.protocol) == (file.rule.id, protocol)]
        said = (
            f"was signed under {protocol} by {' and by '.join(map(str, mine))}; it, or a number it uses, has changed since"
            if mine
            else f"is not signed under {protocol}"
        )
        faults.append(Fault(file.document.path, file.document.line("id"), said))
    return faults
