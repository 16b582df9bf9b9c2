"""Which drug an order is: by code first, by name last, and only forms that act on the whole body."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds.chart.drug_names import named_in
from cds.chart.medications import Medication, drugs_of, product_of
from cds.chart.wire import CodeableConcept, Coding, Dosage
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from tests.charts import RXNORM, Resource, day, sirolimus
from tests.judge import fact, gaps, judge, topics

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
    from cds.engine import CheckedEngine

    assert isinstance(engine, CheckedEngine)
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


# --- through the door: a Medication beside the order, odd spellings, other languages ---------------


def by_reference(medication: dict[str, Any] | None, **more: Any) -> list[Resource]:
    """An order of 12 mg a day whose drug stands in a Medication of its own."""
    order = {key: part for key, part in sirolimus("s", day(0), 12).items() if key != "medicationCodeableConcept"}
    order |= {"medicationReference": {"reference": "Medication/m"} | more}
    return [order, *([{"resourceType": "Medication", "id": "m"} | medication] if medication is not None else [])]


SIROLIMUS = {"coding": [{"system": RXNORM, "code": "35302"}]}
INGREDIENT = {"itemCodeableConcept": SIROLIMUS}


@pytest.mark.parametrize(
    "medication",
    [
        {"code": SIROLIMUS},
        {"ingredient": [INGREDIENT]},
        {"code": {"coding": [{"system": "urn:local", "code": "S1"}]}, "ingredient": [INGREDIENT]},
        {"code": {"text": "house brand"}, "ingredient": [{"itemReference": {"display": "sirolimus"}}]},
    ],
)
def test_the_drug_may_stand_in_a_medication_or_its_ingredients(
    engine: CheckedEngine, medication: dict[str, Any]
) -> None:
    assert "doseFarAboveWindow" in topics(judge(engine, 13, *by_reference(medication)))


@pytest.mark.parametrize("medication", [None, {}, {"code": {"coding": [{"system": "urn:local", "code": "S1"}]}}])
def test_last_the_words_of_the_reference_count(engine: CheckedEngine, medication: dict[str, Any] | None) -> None:
    advice = judge(engine, 13, *by_reference(medication, display="SIROLIMUS 1 MG TABLET"))
    assert "doseFarAboveWindow" in topics(advice)
    assert "matched by name" in fact(advice, "order_working")


@pytest.mark.parametrize("form", [{"text": "Gel"}, {"coding": [{"display": "Ophthalmic solution"}]}, {"text": "ゲル"}])
def test_the_form_of_a_medication_decides(engine: CheckedEngine, form: dict[str, Any]) -> None:
    assert not judge(engine, 13, *by_reference({"code": SIROLIMUS, "form": form})).cards


def test_a_medication_that_was_not_sent_is_named_only_where_it_may_matter(engine: CheckedEngine) -> None:
    """For a patient with ITP it may be sirolimus, beside sirolimus an interacting drug."""
    unknown = by_reference(None)[0] | {"id": "x"}
    assert not judge(engine, 13, unknown, adult=False).cards
    assert gaps(judge(engine, 13, unknown)) == {"MedicationRequest/x was not read"}
    taken = judge(engine, 13, unknown, sirolimus("known", day(0), 2))
    assert gaps(taken) == {"MedicationRequest/x was not read"}


def ratio(amount: float, unit: str, of: float, per: str) -> dict[str, Any]:
    return {"numerator": {"value": amount, "unit": unit}, "denominator": {"value": of, "unit": per}}


@pytest.mark.parametrize(
    ("strength", "unit", "per_day"),
    [
        (ratio(0.5, "mg", 1, "tablet"), "tablet", "1.5"), (ratio(500, "ug", 1, "1"), "tablet", "1.5"),
        (ratio(60, "mg", 60, "mL"), "mL", "3"), (ratio(1, "mg", 1, "capsule"), "capsule", "3"), (ratio(1, "mg", 1, "ampoule"), "tablet", None),
    ],
)  # fmt: skip
def test_tablets_and_mL_by_the_strength_that_the_medication_states(
    engine: CheckedEngine, strength: dict[str, Any], unit: str, per_day: str | None
) -> None:
    chart = by_reference({"ingredient": [INGREDIENT | {"strength": strength}]})
    chart[0]["dosageInstruction"][0]["doseAndRate"] = [{"doseQuantity": {"value": 3, "unit": unit}}]
    assert fact(judge(engine, 13, *chart), "daily_dose") == (None if per_day is None else Decimal(per_day))


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (RXNORM + "/", "349208"), (RXNORM.replace("http:", "https:"), "349208"), ("urn:oid:2.16.840.1.113883.6.88", "349208"),
        (ATC, "L04AH01"), (ATC + "/", "L04AH01"), ("urn:oid:2.16.840.1.113883.6.73", "L04AH01"),
    ],
)  # fmt: skip
def test_a_code_system_however_it_is_spelt(knowledge: Knowledge, system: str, code: str) -> None:
    (drug,) = drugs_of(drug_of(concept((system, code, ""))), None, knowledge)
    assert drug.concept.name == "sirolimus" and not drug.by_name


@pytest.mark.parametrize(
    "text", ["Sirolimús 1 mg", "シロリムス錠 1mg", "сиролимус табл. 1 мг", "시롤리무스정", "Rapacan 1", "rapamicina"]
)
def test_sirolimus_in_other_languages(knowledge: Knowledge, text: str) -> None:
    (drug,) = drugs_of(drug_of(concept(text=text)), None, knowledge)
    assert drug.concept.name == "sirolimus" and drug.oral


@pytest.mark.parametrize("text", ["ラパリムスゲル0.2%", "雷帕霉素凝胶", "雷帕霉素洗脱支架", "сиролимус гель"])
def test_and_what_is_not_swallowed_in_them(knowledge: Knowledge, text: str) -> None:
    assert [drug.oral for drug in drugs_of(drug_of(concept(text=text)), None, knowledge)] == [False]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nirmatrelvir 150 mg / ritonavir 100 mg", {"nirmatrelvir", "ritonavir"}),
        ("Paxlovid", {"ritonavir"}),
        ("amoxicillin; clarithromycin; lansoprazole pack", {"clarithromycin"}),
    ],
)
def test_a_combination_by_name_gives_all_its_ingredients(knowledge: Knowledge, text: str, names: set[str]) -> None:
    assert {drug.concept.name for drug in drugs_of(drug_of(concept(text=text)), None, knowledge)} == names


def test_a_name_beside_a_code_adds_a_partner_and_never_sirolimus(knowledge: Knowledge) -> None:
    coded = concept((RXNORM, "2587892", "nirmatrelvir"), text="nirmatrelvir and ritonavir")
    assert {d.concept.name: d.by_name for d in drugs_of(drug_of(coded), None, knowledge)} == {
        "nirmatrelvir": False,
        "ritonavir": True,
    }
    instead = concept((RXNORM, "4450", "fluconazole"), text="fluconazole (patient is on sirolimus)")
    assert [d.concept.name for d in drugs_of(drug_of(instead), None, knowledge)] == ["fluconazole"]


@pytest.mark.parametrize(("code", "acts"), [("6064005", False), ("54485002", False), ("10547007", False),
                                            ("26643006", True), ("47625008", True)])  # fmt: skip
def test_a_partner_acts_by_mouth_or_vein_and_not_on_skin_eye_or_ear(
    knowledge: Knowledge, code: str, acts: bool
) -> None:
    route = [Dosage(route=concept(("http://snomed.info/sct", code, "")))]
    for ingredient in ("6135", "4053", "3008"):  # ketoconazole, erythromycin, ciclosporin
        (drug,) = drugs_of(drug_of(concept((RXNORM, ingredient, ""))), route, knowledge)
        assert drug.oral == acts


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ASS 100", "aspirin"),
        ("Glass 100 ml", None),
        ("anti-d immunoglobulin", "Rho(D) immune globulin"),
        ("Rho-anti-D immunoglobulin", "Rho(D) immune globulin"),
    ],
)
def test_a_name_of_several_words_begins_with_a_word(knowledge: Knowledge, text: str, name: str | None) -> None:
    found = {concept.name for concept in named_in(text, knowledge)}
    assert (name in found) if name else not found


@pytest.mark.parametrize(
    ("text", "form", "route", "acts"),
    [
        ("clarithromycin 500 mg tablet (ear infection)", "", "", "everywhere"),
        ("clarithromycin 500 mg tablets for the ear", "", "", "everywhere"),
        ("Clarithromycin 500 mg Filmtabletten wegen Schmerzen am Ohr", "", "", "everywhere"),
        ("clarithromycine 500 mg comprimés pour l'oreille", "", "", "everywhere"),
        ("clarithromycin 500 mg 1-0-1, ear infection", "", "", "everywhere"),
        ("clarithromycin (ear)", "Tablet", "", "everywhere"),
        ("clarithromycin (ear)", "", "26643006", "everywhere"),
        ("aspirin 81 mg (heart stent)", "", "", "everywhere"),
        ("clarithromycin ear drops", "", "", "locally"),
        ("clarithromycin cream for oral use is not meant", "", "", "locally"),
        ("ketoconazole cream for oral thrush", "", "", "locally"),
        ("ketoconazole vaginal tablet", "", "", "locally"),
        ("ketoconazole tablet", "", "16857009", "locally"),
        ("ketoconazole 400 mg tablets for vaginal use", "", "", "locally"),
        ("itraconazole capsules for inhalation", "", "", "locally"),
        ("ketoconazole (eye drops)", "", "", "locally"),
        ("everolimus-eluting stent", "", "", "locally"),
        ("sirolimus 1 mg tablet (ear)", "", "", "everywhere"),
        ("sirolimus 1 mg tablets crushed into a cream", "", "", "locally"),
        ("sirolimus gel", "Tablet", "", "unclear"),
        ("sirolimus gel", "", "26643006", "unclear"),
    ],
)
def test_what_a_drug_is_taken_for_is_not_where_it_acts(
    knowledge: Knowledge, text: str, form: str, route: str, acts: str
) -> None:
    medication = Medication((concept(text=text), *([concept(text=form)] if form else [])))
    dosages = [Dosage(route=concept(("http://snomed.info/sct", route, "")))] if route else None
    assert {drug.acts for drug in drugs_of(medication, dosages, knowledge)} == {acts}


def test_an_order_of_sirolimus_in_two_forms_is_named(engine: CheckedEngine) -> None:
    order = sirolimus("s", day(0), 2)
    order["medicationCodeableConcept"] = {"text": "sirolimus gel"}
    order["dosageInstruction"][0]["route"] = {"coding": [{"system": "http://snomed.info/sct", "code": "26643006"}]}
    assert "MedicationRequest/s was not read" in gaps(judge(engine, 9, order))


@pytest.mark.parametrize(
    ("text", "name", "oral"),
    [
        ("St. Johns Wort 300 mg", "St. John's wort extract", True),
        ("St.John's Wort", "St. John's wort extract", True),
        ("amox-clarithro-lansopraz combo pack", "clarithromycin", True),
        ("elviteg-cob-emtri-tenof alafen 150-150-200-10 mg tab", "cobicistat", True),
        ("Josacine 500 mg", "josamycin", True),
        ("deflazacort 30 mg tablet", "deflazacort", True),
        ("倍他米松片", "betamethasone", True),
        ("Solu-Cortef 100 mg i.v.", "hydrocortisone", True),
        ("hydrocortisone 1 % cream", "hydrocortisone", False),
        ("tacrolimus (PROTOPIC) 0.1 %", "tacrolimus", False),
        ("betamethasone valerate 0.1 % topical ointment", "betamethasone", False),
    ],
)
def test_names_that_hospitals_write(knowledge: Knowledge, text: str, name: str, oral: bool) -> None:
    found = drugs_of(drug_of(concept(text=text)), None, knowledge)
    assert [(drug.concept.name, drug.oral) for drug in found] == [(name, oral)]
