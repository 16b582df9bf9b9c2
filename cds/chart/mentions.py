"""Whether something that cannot be read speaks of what the rules need: by code, or by name."""

from __future__ import annotations

import re

from cds.chart.drug_names import named_in
from cds.compiled.knowledge import Knowledge

_CODE = re.compile(r'"code"\s*:\s*"([^"\\]{1,30})"')


def mentioned(raw: bytes, knowledge: Knowledge) -> str:
    """The value set of ours that some JSON speaks of; sirolimus before all others, empty for none."""
    text = raw.decode("utf-8", "replace")
    subjects = {concept.valueset for concept in named_in(text, knowledge, whole=True)}
    for code in _CODE.findall(text):
        for of_system in knowledge.codes.values():
            subjects |= {concept.valueset for concept in of_system.get(code, ())}
    return min(subjects, key=lambda subject: (not subject.startswith("sirolimus"), subject), default="")
