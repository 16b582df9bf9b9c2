"""What stands beside the codes of a condition, or says that it is over, denied or another's, is no such condition."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from cds.authoring.near import near_faults
from cds.engine import CheckedEngine
from cds.knowledge.files import Folder
from cds.knowledge.read import read_folder
from tests.charts import PATIENT, SNOMED, Resource, bloods, condition, count, day, level, sirolimus
from tests.conftest import RULES
from tests.judge import judge, topics

pytestmark = pytest.mark.untraced

CM = "http://hl7.org/fhir/sid/icd-10-cm"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
COURSE = [sirolimus("s", day(0), 2), level("l", day(60, "08:00"), 8), count("base", day(-2), 14), *bloods(day(59))]
SETS = {
    "angioedema", "bleeding", "harm", "hepatitis-b", "itp", "malignancy", "other-indication", "pregnancy", "procedures", "secondary-itp",
    "thrombosis",
}  # fmt: skip
SPEAKS = {  # a code that its card speaks of, when it is there and active
    "sepsis": (CM, "A41.9", "seriousInfection"),
    "pneumonia": (CM, "J18.9", "seriousInfection"),
    "zoster": (SNOMED, "4740000", "seriousInfection"),
    "interstitial lung disease": (CM, "J84.9", "pneumonitis"),
    "pregnancy": (CM, "Z34.90", "pregnancy"),
    "breast cancer": (CM, "C50.911", "malignancy"),
    "deep vein thrombosis": (CM, "I82.401", "thrombosis"),
    "stomatitis": (CM, "K12.1", "stomatitis"),
}


@pytest.fixture(scope="module")
def shipped() -> Folder:
    return read_folder(RULES)


def test_every_set_of_conditions_lists_codes_that_it_must_not_take(shipped: Folder) -> None:
    listed = {name: len(shape.near) for name, shape in shipped.valuesets.items() if shape.near}
    assert listed.keys() >= SETS
    assert min(listed.values()) >= 10


def test_no_near_code_is_taken(shipped: Folder) -> None:
    assert list(near_faults(shipped)) == []


def test_a_prefix_that_is_too_wide_is_a_fault_of_check(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    file = folder / "valuesets" / "thrombosis.yaml"
    text = file.read_text(encoding="utf-8").replace(
        "prefixes:\n",
        "prefixes:\n  - {system: icd10, prefix: I80, name: thrombosis, display: Phlebitis, basis: RECALLED}\n",
        1,
    )
    file.write_text(text, encoding="utf-8")
    told = [str(fault) for fault in near_faults(read_folder(folder))]
    assert any("thrombosis.yaml" in each and "'I80.0' of icd10 means 'thrombosis'" in each for each in told), told[:3]


def told_of(engine: CheckedEngine, resource: Resource) -> set[str]:
    return topics(judge(engine, 61, *COURSE, resource))


@pytest.mark.parametrize(("system", "code", "topic"), SPEAKS.values(), ids=SPEAKS.keys())
def test_an_active_condition_is_told(engine: CheckedEngine, system: str, code: str, topic: str) -> None:
    assert topic in told_of(engine, condition("c", code, day(50), system=system))


def verified(code: str) -> dict[str, Any]:
    return {"verificationStatus": {"coding": [{"system": VERIFICATION, "code": code}]}}


@pytest.mark.parametrize(("system", "code", "topic"), SPEAKS.values(), ids=SPEAKS.keys())
@pytest.mark.parametrize("answer", ["refuted", "entered-in-error"])
def test_what_was_refuted_or_never_true_is_silent(
    engine: CheckedEngine, system: str, code: str, topic: str, answer: str
) -> None:
    assert topic not in told_of(engine, condition("c", code, day(50), system=system) | verified(answer))


@pytest.mark.parametrize("name", [name for name in SPEAKS if name != "interstitial lung disease"])
def test_what_is_resolved_is_silent_on_an_opened_chart(engine: CheckedEngine, name: str) -> None:
    system, code, topic = SPEAKS[name]
    assert topic not in told_of(engine, condition("c", code, day(50), status="resolved", system=system))


@pytest.mark.parametrize(("system", "code", "topic"), SPEAKS.values(), ids=SPEAKS.keys())
def test_what_a_relative_had_is_silent(engine: CheckedEngine, system: str, code: str, topic: str) -> None:
    relative = {
        "resourceType": "FamilyMemberHistory",
        "id": "f",
        "status": "completed",
        "patient": {"reference": f"Patient/{PATIENT}"},
        "relationship": {"text": "mother"},
        "condition": [{"code": {"coding": [{"system": system, "code": code}]}}],
    }
    assert topic not in told_of(engine, relative)
