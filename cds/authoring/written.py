"""YAML files written by the program: comments and the order of keys stay as the author left them."""

from __future__ import annotations

import os
import tempfile
from errno import EACCES
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

_WIDTH = 100_000  # a sentence is one line, so that a change of it is one line of a diff


def _yaml() -> YAML:
    yaml = YAML()  # the round-trip reader: it keeps comments and quotes
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.preserve_quotes = True
    yaml.representer.ignore_aliases = lambda *_: True  # our readers accept no aliases
    return yaml


def tree_of(text: str) -> Any:
    """A file's content with its comments; an empty one is an empty mapping. The text was read by ``tree.read`` before."""
    return _yaml().load(text) or CommentedMap()


def text_of(tree: Any) -> str:
    """The text of the file that ``tree`` represents."""
    out = StringIO()
    _yaml().dump(tree, out)
    return out.getvalue()


def replace(path: Path, text: str) -> None:
    """Write ``text`` to ``path``, or to what it links to, whole or not at all. Raises OSError."""
    path = path.resolve()
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(EACCES, "is not to be written", str(path))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
