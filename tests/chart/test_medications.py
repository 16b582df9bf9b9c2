"""Which drug an order is: by code first, by name last, and only forms that act on the whole body."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds.chart.medications import Medication, drugs_of, product_of
from cds.chart.wire import CodeableConcept, Coding, Dosage
from cds.knowledge.compiled import Knowledge
from tests.charts import RXNORM, day, sirolimus
from tests.judge import fact, judge

ATC = "http://www.whocc.no/atc"


def concept(*codings: tuple[str, str, str], text: str | None = None) -> CodeableConcept:
    return CodeableConcept([Coding(system, code, display) for system, code, display in codings], text)


def drug_of(*concepts: CodeableConcept) -> Medication:
    return Medication(concepts)


@pytest.mark.parametrize(
    "coding",
    [
        (RXNORM, "35302", "sirolimus"),
        (RXNORM, "349208", ""),
        (RXNORM, "351901", ""),
        (RXNORM, "258355", "Rapamune"),
        (ATC, "L04AH01", "sirolimus"),
        (ATC, "L04AA10", ""),
    ],
)
def test_oral_sirolimus_by_code(knowledge: Knowledge, coding: tuple[str, str, str]) -> None:
    (drug,) = drugs_of(drug_of(concept(("http://local.example", "S1", ""), coding)), None, knowledge)
    assert (drug.concept.name, drug.oral, drug.by_name) == ("sirolimus", True, False)


@pytest.mark.parametrize("text", ["Rapamune 1 mg tablet", "RAPAMYCIN", "西罗莫司片", "Tab. sirolimus"])
def test_oral_sirolimus_by_name(knowledge: Knowledge, text: str) -> None:
    (drug,) = drugs_of(drug_of(concept(text=text)), None, knowledge)
    assert (drug.concept.name, drug.oral, drug.by_name) == ("sirolimus", True, True)


@pytest.mark.parametrize(
    "given",
    [
        concept((RXNORM, "2596864", "sirolimus 0.2 % Topical Gel")),
        concept((RXNORM, "35302", ""), (RXNORM, "2596869", "")),
        concept((RXNORM, "2586868", "")),
        concept((ATC, "L01EG04", "")),
        concept((ATC, "S01XA23", "")),
        concept(text="sirolimus eluting stent"),
        concept(text="Fyarro, sirolimus protein-bound"),
        concept(text="Hyftor sirolimus gel"),
    ],
)
def test_the_gel_the_infusion_the_eye_drops_and_the_stent_are_not_it(
    knowledge: Knowledge, given: CodeableConcept
) -> None:
    assert all(not drug.oral for drug in drugs_of(drug_of(given), None, knowledge))


def test_the_route_decides_where_the_code_is_open(knowledge: Knowledge) -> None:
    ingredient = concept((RXNORM, "35302", "sirolimus"))
    topical = [Dosage(route=concept(("http://snomed.info/sct", "6064005", "Topical route")))]
    oral = [Dosage(route=concept(("http://snomed.info/sct", "26643006", "Oral route")))]
    assert not drugs_of(drug_of(ingredient), topical, knowledge)[0].oral
    assert drugs_of(drug_of(ingredient), oral, knowledge)[0].oral


@pytest.mark.parametrize("text", ["temsirolimus", "everolimus 0.5 mg", "zotarolimus"])
def test_its_relatives_are_other_drugs(knowledge: Knowledge, text: str) -> None:
    assert not any(drug.concept.name == "sirolimus" for drug in drugs_of(drug_of(concept(text=text)), None, knowledge))


def test_a_combination_gives_all_its_ingredients(knowledge: Knowledge) -> None:
    paxlovid = drugs_of(drug_of(concept((RXNORM, "2587899", ""))), None, knowledge)
    assert {drug.concept.name for drug in paxlovid} == {"nirmatrelvir", "ritonavir"}
    pylori = drugs_of(drug_of(concept((ATC, "A02BD04", ""))), None, knowledge)
    assert {drug.concept.name for drug in pylori} == {"clarithromycin"}


@pytest.mark.parametrize(
    ("given", "tablet", "per_ml"),
    [
        (concept((RXNORM, "905158", "")), "0.5", None), (concept((RXNORM, "314230", "")), None, "1"),
        (concept((RXNORM, "35302", "sirolimus"), text="sirolimus 2 mg tablet"), "2", None),
        (concept(text="sirolimus 1 mg/mL oral solution"), None, "1"), (concept(text="sirolimus"), None, None),
        (concept(text="sirolimus 1 mg or 2 mg"), None, None),
    ],
)  # fmt: skip
def test_the_strength_of_the_product(
    knowledge: Knowledge, given: CodeableConcept, tablet: str | None, per_ml: str | None
) -> None:
    product = product_of(drug_of(given), knowledge)
    assert product.tablet == (Decimal(tablet) if tablet else None)
    assert product.per_ml == (Decimal(per_ml) if per_ml else None)


def test_a_medication_is_found_wherever_it_stands(engine: object) -> None:
    from cds.engine import Engine

    assert isinstance(engine, Engine)
    order = sirolimus("s", day(0), 5)
    code = order.pop("medicationCodeableConcept")
    medication = {"resourceType": "Medication", "id": "m", "code": code}
    contained = order | {"contained": [medication], "medicationReference": {"reference": "#m"}}
    assert fact(judge(engine, 3, contained), "daily_dose") == 5
    for reference in (
        "Medication/m",
        "https://ehr.example/fhir/Medication/m",
        "https://other.example/Medication/m/_history/2",
    ):
        assert (
            fact(judge(engine, 3, order | {"medicationReference": {"reference": reference}}, medication), "daily_dose")
            == 5
        )
    by_display = order | {
        "medicationReference": {
            "reference": "https://ehr.example/Medication/zzz",
            "display": "sirolimus 1 MG Oral Tablet",
        }
    }
    advice = judge(engine, 3, by_display)
    assert fact(advice, "daily_dose") == 5
    assert "drug matched by name" in fact(advice, "order_working")
