"""Orders, statements and administrations as other systems send them, from the door to the chart."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cds.chart.model import Chart
from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.compiled.knowledge import Knowledge
from tests.charts import RXNORM, UCUM, Resource, as_bytes, bundle, day, drug, intake, patient, sirolimus
from tests.judge import now_on

SIROLIMUS = {"coding": [{"system": RXNORM, "code": "35302"}]}


def chart(knowledge: Knowledge, *resources: Resource) -> Chart:
    return read_chart(read_request(as_bytes(bundle(patient(), *resources))), knowledge, now_on(20))


def order(quantity: Resource, *, name: str = "", **more: Any) -> Resource:
    """An order of one intake a day, of a product that is only named if ``name`` is given."""
    made: Resource = json.loads(json.dumps(sirolimus("s", day(0), 2) | more))
    made["dosageInstruction"][0]["doseAndRate"] = [{"doseQuantity": quantity}]
    return made | ({"medicationCodeableConcept": {"text": name}} if name else {})


def in_medication(quantity: Resource, medication: Resource, reference: str = "#m") -> Resource:
    """The same with the drug in a contained Medication."""
    made = order(quantity, contained=[{"resourceType": "Medication", "id": "m"} | medication])
    del made["medicationCodeableConcept"]
    return made | {"medicationReference": {"reference": reference}}


def per_day(knowledge: Knowledge, *resources: Resource) -> Decimal | str | None:
    """The dose a day, or what is wrong with it."""
    (read,) = chart(knowledge, *resources).orders
    return read.dose.problem or read.dose.per_day


@pytest.mark.parametrize(
    "unit",
    ["tablet", "Tablet(s)", "tabs", "{tbl}", "TAB", "Tablette(n)", "Filmtabletten", "Kapsel", "comprimé", "comprimés", "gélule", "comprimido(s)", "compressa", "cpr",
     "tabletki", "片", "tablet - unit of product usage"],
)  # fmt: skip
def test_what_a_tablet_is_called_as_a_unit(knowledge: Knowledge, unit: str) -> None:
    assert per_day(knowledge, order({"value": 3, "unit": unit})) == 3


@pytest.mark.parametrize("unit", ["mL", "ml", "Milliliter", "millilitre(s)", "毫升"])
def test_what_a_millilitre_is_called_as_a_unit(knowledge: Knowledge, unit: str) -> None:
    assert per_day(knowledge, order({"value": 2.5, "unit": unit}, name="sirolimus 1 mg/mL oral solution")) == Decimal(
        "2.5"
    )


@pytest.mark.parametrize("unit", ["drops", "spoon", "puff", "IU", "patch"])
def test_another_unit_of_a_dose_is_a_gap(knowledge: Knowledge, unit: str) -> None:
    assert per_day(knowledge, order({"value": 3, "unit": unit})) == "the unit of its dose is not understood"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sirolimus 500 micrograms tablets", "1"), ("Rapamune 500 mcg tablet", "1"), ("Sirolimus 500 µg Tabletten", "1"), ("sirolimus 500 μg", "1"),
        ("Rapamune 500 Mikrogramm", "1"), ("sirolimus 0,5 mg comprimé", "1"), ("sirolimus 1 mg tablet", "2"),
        ("sirolimus 500 mcg or 1 mg", "its dose is in tablets of unknown strength"), ("sirolimus", "its dose is in tablets of unknown strength"),
    ],
)  # fmt: skip
def test_a_strength_in_micrograms(knowledge: Knowledge, name: str, expected: str) -> None:
    assert str(per_day(knowledge, order({"value": 2, "unit": "tablet"}, name=name))).removesuffix(".0") == expected


def test_a_dose_in_micrograms(knowledge: Knowledge) -> None:
    assert per_day(knowledge, order({"value": 1500, "unit": "mcg"})) == Decimal("1.5")
    assert per_day(knowledge, order({"value": 1500, "unit": "ug", "system": UCUM, "code": "ug"})) == Decimal("1.5")


@pytest.mark.parametrize(("held", "reference"), [("m", "#m"), ("#m", "#m")])
def test_a_contained_medication_with_and_without_the_mark_in_its_id(
    knowledge: Knowledge, held: str, reference: str
) -> None:
    strength = {"numerator": {"value": 500, "unit": "ug"}, "denominator": {"value": 1, "unit": "Tablette"}}
    medication = {
        "id": held,
        "code": SIROLIMUS,
        "ingredient": [{"itemCodeableConcept": SIROLIMUS, "strength": strength}],
    }
    assert per_day(knowledge, in_medication({"value": 3, "unit": "tablet"}, medication, reference)) == Decimal("1.5")


@pytest.mark.parametrize(
    ("form", "count"),
    [("Filmtablette", 1), ("Augensalbe", 0), ("gel pour application locale", 0), ("凝胶", 0), ("crema", 0)],
)
def test_the_form_in_words_decides(knowledge: Knowledge, form: str, count: int) -> None:
    medication = {"code": SIROLIMUS, "form": {"text": form}}
    assert len(chart(knowledge, in_medication({"value": 2, "unit": "mg"}, medication)).orders) == count


def test_an_empty_slot_of_the_day_adds_nothing(knowledge: Knowledge) -> None:
    made = order({"value": 2, "unit": "mg"})
    evening = json.loads(json.dumps(made["dosageInstruction"][0]))
    evening["doseAndRate"] = [{"doseQuantity": {"value": 0, "unit": "mg"}}]
    made["dosageInstruction"].append(evening)
    assert per_day(knowledge, made) == 2


def test_a_dose_that_was_not_given_is_a_missed_one(knowledge: Knowledge) -> None:
    read = chart(knowledge, intake("a", day(18, "08:00")), intake("b", day(19, "08:00")) | {"status": "not-done"})
    assert [each.reference for each in read.intakes] == ["MedicationAdministration/a"]
    assert [(each.reference, each.moment.day.isoformat()) for each in read.missed] == [
        ("MedicationAdministration/b", day(19))
    ]


@pytest.mark.parametrize("status", ["in-progress", "entered-in-error", "stopped", "unknown", "on-hold"])
def test_no_other_status_is_a_missed_dose(knowledge: Knowledge, status: str) -> None:
    read = chart(knowledge, intake("a", day(19, "08:00")) | {"status": status})
    assert read.missed == () and read.intakes == ()


def test_another_drug_that_was_not_given_is_nothing(knowledge: Knowledge) -> None:
    code = drug("c", "clarithromycin", day(1))["medicationCodeableConcept"]
    given = intake("a", day(19, "08:00")) | {"status": "not-done", "medicationCodeableConcept": code}
    assert chart(knowledge, given).missed == () and chart(knowledge, given).drugs == ()


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({"intent": "order"}, 1), ({"intent": "plan"}, 0), ({"intent": "proposal"}, 0), ({"intent": "option"}, 0), ({"intent": "plan", "reportedBoolean": True}, 1),
        ({"intent": "plan", "reportedReference": {"reference": "Practitioner/p"}}, 1), ({"intent": "plan", "reportedBoolean": False}, 0),
        ({"intent": "proposal", "reportedBoolean": True}, 0),
    ],
)  # fmt: skip
def test_a_plan_of_sirolimus_counts_only_where_it_is_reported(
    knowledge: Knowledge, more: dict[str, Any], count: int
) -> None:
    assert len(chart(knowledge, sirolimus("s", day(0), 2) | more).orders) == count


@pytest.mark.parametrize(("intent", "count"), [("plan", 1), ("proposal", 0), ("option", 0)])
def test_a_plan_of_another_drug_is_spoken_of(knowledge: Knowledge, intent: str, count: int) -> None:
    assert len(chart(knowledge, drug("c", "clarithromycin", day(1)) | {"intent": intent}).drugs) == count
