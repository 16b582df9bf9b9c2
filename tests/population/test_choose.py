"""Nobody who takes sirolimus is missed, however their orders are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds.compiled.knowledge import Knowledge
from cds.population.choose import Filter, choose, pointing, with_parts
from cds.population.export import Export
from tests.charts import RXNORM, Resource, day, drug
from tests.population.exports import of_patient, write


def chosen(knowledge: Knowledge, folder: Path, *lines: str, size: int = 10_000) -> set[str]:
    """Who is chosen of files with these lines."""
    folder.mkdir(exist_ok=True)
    file = folder / "all.ndjson"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    units = Export((file,), frozenset()).units(size)
    filtered = Filter(knowledge)
    found = [choose(unit, filtered) for unit in units]
    of_sirolimus = with_parts(found)
    return {*(each for one in found for each in one.patients)}.union(*(pointing(unit, of_sirolimus) for unit in units))


def order(concept: Any = None, **more: Any) -> Resource:
    made = {"resourceType": "MedicationRequest", "id": "o", "subject": {"reference": "Patient/p"}}
    return made | ({"medicationCodeableConcept": concept} if concept else {}) | more


@pytest.mark.parametrize(
    "concept",
    [
        {"coding": [{"system": RXNORM, "code": "349208"}]},
        {"coding": [{"system": "http://www.whocc.no/atc", "code": "L04AH01"}]},
        {"text": "Rapamune 1 mg"},
        {"text": "RAPAMUNE"},
        {"text": "сиролимус"},
        {"text": "СИРОЛИМУС 1 мг"},
        {"text": "西罗莫司片"},
        {"text": "σιρόλιμους"},
        {"text": "Tabletten à 1 mg Sirolimus"},
        {"coding": [{"display": "syrolimus, tabl. 1 mg"}]},
    ],
    ids=lambda concept: json.dumps(concept)[:40],
)
def test_a_code_or_a_name_in_any_script(knowledge: Knowledge, tmp_path: Path, concept: Any) -> None:
    for ascii_only in (True, False):
        assert chosen(knowledge, tmp_path, json.dumps(order(concept), ensure_ascii=ascii_only)) == {"p"}


def test_letters_that_are_escaped_for_no_reason(knowledge: Knowledge, tmp_path: Path) -> None:
    plain = json.dumps(order({"text": "sirolimus"}))
    assert chosen(knowledge, tmp_path, plain.replace("siro", "siro".replace("r", "\\u0072"))) == {"p"}
    assert chosen(knowledge, tmp_path, plain.replace("Patient/", "Patient\\/")) == {"p"}


def test_other_drugs_and_numbers_that_look_like_codes_choose_nobody(knowledge: Knowledge, tmp_path: Path) -> None:
    lines = [
        json.dumps(drug("d", "prednisone", day(0))),
        json.dumps(order({"text": "Prednison für müde Männer"}, identifier=[{"value": "1349208"}])),
        json.dumps({"resourceType": "Observation", "subject": {"reference": "Patient/q"}, "valueQuantity": {"unit": "µmol/L"}}, ensure_ascii=False),
    ]  # fmt: skip
    assert chosen(knowledge, tmp_path, *lines) == set()


MEDICATION = {"resourceType": "Medication", "id": "m", "code": {"text": "sirolimus"}}


@pytest.mark.parametrize("reference", ["Medication/m", "https://fhir.example/r4/Medication/m", "Medication/m/_history/3", "urn:uuid:m"])  # fmt: skip
def test_an_order_that_points_to_a_medication_in_another_file(
    knowledge: Knowledge, tmp_path: Path, reference: str
) -> None:
    pointing_to = order(medicationReference={"reference": reference})
    assert chosen(knowledge, tmp_path, json.dumps(MEDICATION), json.dumps(pointing_to), size=50) == {"p"}
    assert chosen(knowledge, tmp_path, json.dumps(pointing_to), json.dumps(MEDICATION)) == {"p"}


def test_a_medication_made_of_another_one(knowledge: Knowledge, tmp_path: Path) -> None:
    product = {
        "resourceType": "Medication",
        "id": "product",
        "ingredient": [{"itemReference": {"reference": "Medication/m"}}],
    }
    lines = [json.dumps(each) for each in (order(medicationReference={"reference": "Medication/product"}), product, MEDICATION)]  # fmt: skip
    assert chosen(knowledge, tmp_path, *lines) == {"p"}


def test_a_dose_that_was_given_and_a_drug_inside_its_order(knowledge: Knowledge, tmp_path: Path) -> None:
    given = {
        "resourceType": "MedicationAdministration",
        "id": "g",
        "subject": {"reference": "https://x.example/Patient/q"},
    }
    inside = order(contained=[{**MEDICATION, "code": {"text": "西罗莫司"}}], medicationReference={"reference": "#m"})
    lines = [json.dumps(given | {"medicationCodeableConcept": {"text": "sirolimus"}}), json.dumps(inside)]
    assert chosen(knowledge, tmp_path, *lines) == {"p", "q"}


def test_files_may_be_of_any_order(knowledge: Knowledge, tmp_path: Path) -> None:
    folder = write(tmp_path / "an export", of_patient("a", drug("d", "prednisone", day(0))))
    assert chosen(knowledge, folder, (folder / "MedicationRequest.ndjson").read_text().strip()) == set()
