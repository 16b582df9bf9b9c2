"""Whether something that cannot be read mentions anything that the rules need, by code or by name."""

from __future__ import annotations

import re

from cds.chart.drug_names import named_in
from cds.compiled.knowledge import Knowledge

_CODE = re.compile(r'"code"\s*:\s*"([^"\\]{1,30})"')


def mentioned(raw: bytes, knowledge: Knowledge) -> str:
    """The value set that some JSON mentions; sirolimus takes precedence over all others; empty if there is none."""
    text = raw.decode("utf-8", "replace")
    subjects = {concept.valueset for concept in named_in(text, knowledge, whole=True)}
    for code in _CODE.findall(text):
        for of_system in knowledge.codes.values():
            subjects |= {concept.valueset for concept in of_system.get(code, ())}
    return min(subjects, key=lambda subject: (not subject.startswith("sirolimus"), subject), default="")
