"""A counterexample of a property as a scenario that runs: its facts as lines on a patient's day line."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from cds.authoring.proofs.found import Counterexample

_TODAY = 60
_BEGINS = {
    "lung_disease": "pneumonitis", "lung_harm": "pneumonitis", "lung_new": "pneumonitis", "serious_infections": "serious-infection", "sepsis": "sepsis",
    "febrile_neutropenia": "febrile-neutropenia", "angioedema_recent": "angioedema", "angioedema_now": "angioedema",
    "thrombosis": "thrombosis", "microangiopathies": "microangiopathy", "stomatitis": "stomatitis", "nephrotic_syndromes": "nephrotic", "malignancies": "malignancy", "liver_disease": "cirrhosis",
    "breastfeeding": "breastfeeding", "pregnancy_on_record": "pregnant", "bleeding_now": "bleeding",
    "breathless": "breathless",
}  # fmt: skip
"""Facts that come from a condition on the problem list, with the name of the condition in the value sets."""
_TAKEN = {
    "strong_inhibitors": "clarithromycin", "unsettled_inhibitors": "fluconazole", "moderate_inhibitors": "fluconazole",
    "strong_inducers": "rifampin", "ciclosporin": "cyclosporine", "mtor_inhibitors": "everolimus",
    "calcineurin_inhibitors": "tacrolimus", "ace_inhibitors": "lisinopril",
}  # fmt: skip
_MEASURED = {
    "neutrophils": ("neutrophils", "10*9/L"), "triglycerides": ("triglycerides", "mg/dL"),
    "triglycerides_lately": ("triglycerides", "mg/dL"), "cholesterol": ("cholesterol", "mg/dL"),
    "cholesterol_lately": ("cholesterol", "mg/dL"), "oxygen_saturation": ("oxygen", "%"), "hemoglobin": ("hemoglobin", "g/dL"),
    "platelet_count": ("platelets", "10*9/L"), "trough": ("trough", "ng/mL"), "newest_level": ("level", "ng/mL"),
}  # fmt: skip


def as_scenario(found: Counterexample) -> dict[str, Any]:
    """The counterexample as the content of a scenario file; facts that no line can express are left out."""
    child = found.facts.get("age_group") == "child"
    lines = list(dict.fromkeys(_lines(found.facts)))
    dose = found.facts.get("daily_dose", Decimal(2))
    days: dict[str, Any] = {
        "-200": "prednisone 60 mg daily",
        "-170": "prednisone stops",
        "-5": ["platelets 12", *(["weight 30 kg", "height 135 cm"] if child else [])],
        "0": f"sirolimus {dose} mg daily",
        str(_TODAY - 10): ["level ordered", "tests ordered"],
        f"{_TODAY - 1} 07:40": lines or ["platelets 12"],
    }
    card: dict[str, Any] = {"day": str(_TODAY), "expect": dict.fromkeys(found.shown, "")}
    if found.hook != "patient-view":
        card |= {"hook": found.hook, "draft": f"sirolimus {dose} mg daily"}
    patient = {"born": "2012-03-14" if child else "1980-05-05", "sex": "female"}
    story = f"{found.says[0].upper()}{found.says[1:]}."
    return {"scenario": "A counterexample", "story": story, "protocol": found.protocol, "patient": patient, "days": days, "cards": [card]}  # fmt: skip


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    for fact, value in sorted(facts.items()):
        if fact in _BEGINS and value is not False:
            yield f"{_BEGINS[fact]} begins"
        elif fact in _TAKEN:
            yield f"{_TAKEN[fact]} starts"
        elif fact in _MEASURED and isinstance(value, Decimal):
            name, unit = _MEASURED[fact]
            yield f"{name} {max(value, Decimal('0.1')):f} {unit}"
        elif fact == "pregnancy_test_positive" and value:
            yield "hcg positive"


def shown(found: Counterexample) -> str:
    """The scenario as text, ready to be saved and run with ``sirolimus-cds scenario``."""
    out = StringIO()
    yaml = YAML()
    yaml.width = 120
    yaml.dump(as_scenario(found), out)
    return out.getvalue()
