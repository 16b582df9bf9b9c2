"""Results as laboratories of other countries send them: by name, from this specimen or that, in units and numbers of their own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds.chart.model import Lab
from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.compiled.knowledge import Knowledge
from tests.charts import UCUM, Resource, as_bytes, bundle, day, level, observation, patient
from tests.judge import now_on


def labs(knowledge: Knowledge, *resources: Resource) -> dict[str, list[Lab]]:
    request = read_request(as_bytes(bundle(patient(), *resources)))
    return read_chart(request, knowledge, now_on(20)).labs


def local(name: str, value: float, unit: str, **more: Any) -> Resource:
    """A result under a code of the laboratory's own."""
    code = {"coding": [{"system": "urn:our-lab", "code": "4711", "display": name}]}
    return observation("o", "", day(19), value, unit) | {"code": code} | more


@pytest.mark.parametrize(
    ("name", "unit", "expected"),
    [
        ("Sirolimus-Spiegel", "µg/L", "level"), ("Sirolimus i. EDTA-Blut", "ng/mL", "level"), ("Dosage de sirolimus", "ng/mL", "level"),
        ("Nivel de sirolimus", "ng/mL", "level"), ("Sirolimus ematico", "ng/mL", "level"), ("Stężenie sirolimusu", "ng/mL", "level"),
        ("西罗莫司血药浓度", "ng/mL", "level"), ("Sirolimus Talspiegel", "µg/L", "trough"), ("Taux résiduel de sirolimus", "µg/L", "trough"),
        ("Dalspiegel sirolimus", "ug/L", "trough"), ("西罗莫司谷浓度", "ng/mL", "trough"), ("Thrombozyten [G/l]", "G/l", "platelets"),
        ("Plaquettes (sang)", "G/L", "platelets"), ("Recuento de plaquetas", "10*3/uL", "platelets"), ("Conta piastrinica", "10^9/L", "platelets"),
        ("Trombocyten", "10*9/L", "platelets"), ("Płytki krwi", "tys/µl", "platelets"), ("血小板计数", "10^9/L", "platelets"),
        ("Kreatinin im Serum", "mg/dL", "creatinine"), ("血红蛋白", "g/L", "hemoglobin"), ("Cholestérol total", "mmol/L", "cholesterol"),
        ("Körpergewicht", "kg", "weight"), ("Taille", "cm", "height"), ("Neutrophile (Granulozyten)", "G/L", "neutrophils"),
        ("Neutrofili", "10^9/L", "neutrophils"), ("Neutrófilos abs.", "10*3/uL", "neutrophils"), ("NEUT#", "10^9/L", "neutrophils"),
        ("Eiweiß im 24-h-Urin", "g/24h", "protein-24h"), ("24小时尿蛋白定量", "g/24h", "protein-24h"), ("HbA1c", "%", "hba1c"),
        ("UPCR", "g/g", "protein-ratio"), ("Protein/Kreatinin-Quotient", "mg/g", "protein-ratio"), ("尿蛋白/肌酐比值", "mg/mmol", "protein-ratio"),
        ("Albumin/Kreatinin-Quotient", "mg/g", "albumin-ratio"), ("Polynucléaires neutrophiles", "G/L", "neutrophils"), ("中性粒细胞", "10^9/L", "neutrophils"), ("Lymphozyten absolut", "G/L", "lymphocytes"),
    ],
)  # fmt: skip
def test_a_local_name_is_read_in_its_language_and_marked_so(
    knowledge: Knowledge, name: str, unit: str, expected: str
) -> None:
    ((found, (lab,)),) = labs(knowledge, local(name, 90, unit)).items()
    assert (found, lab.by_name, lab.problem) == (expected, True, "") and lab.amount is not None


@pytest.mark.parametrize("name", ["Neutrophile", "Neutrophils", "Neutrofili", "Lymphozyten", "中性粒细胞"])
def test_a_share_of_the_cells_is_passed_over(knowledge: Knowledge, name: str) -> None:
    in_words = local(name, 1, "%")
    del in_words["valueQuantity"]
    assert labs(knowledge, local(name, 45, "%"), in_words | {"valueString": "45 %"}) == {}


def test_a_name_beside_a_code_of_loinc_says_nothing(knowledge: Knowledge) -> None:
    volume = observation("o", "32623-1", day(19), 9, "fL")
    volume["code"]["text"] = "Platelets"
    assert labs(knowledge, volume) == {}
    (coded,) = labs(knowledge, level("l", day(19), 7))["level"]
    assert not coded.by_name


def test_a_unit_that_is_not_understood_is_a_gap_under_a_name_too(knowledge: Knowledge) -> None:
    (lab,) = labs(knowledge, local("Thrombozyten", 90, "%"))["platelets"]
    assert lab.amount is None and lab.problem == "its unit is not understood"


def test_a_component_of_a_panel_may_have_a_local_name(knowledge: Knowledge) -> None:
    value = {"value": 22, "unit": "G/L"}
    panel = local("Kleines Blutbild", 1, "1") | {
        "component": [{"code": {"text": "Thrombozyten"}, "valueQuantity": value}]
    }
    (lab,) = labs(knowledge, panel)["platelets"]
    assert lab.by_name and lab.amount is not None and lab.amount.value == 22


@pytest.mark.parametrize(
    ("name", "unit", "specimen", "wrong"),
    [
        *(("Sirolimus", "ng/mL", word, "serum was measured") for word in ("Serum", "Sérum", "suero", "siero", "soro", "surowica", "血清")),
        ("Sirolimus", "ng/mL", "Plasma (EDTA)", "plasma was measured"), ("Sirolimus", "ng/mL", "Trockenblut", "dried blood spot was measured"),
        ("Sirolimus", "ng/mL", "EDTA-Vollblut", ""), ("Sirolimus", "ng/mL", "sang total", ""), ("Thrombozyten", "G/L", "尿", "urine was measured"),
        ("Kreatinin", "mg/dL", "Serum", ""), ("Kreatinin", "mg/dL", "Plasma", ""),
    ],
)  # fmt: skip
def test_the_specimen_decides_in_any_language(
    knowledge: Knowledge, name: str, unit: str, specimen: str, wrong: str
) -> None:
    ((lab,),) = labs(knowledge, local(name, 9, unit, specimen={"display": specimen})).values()
    assert lab.wrong_specimen == wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [("24 ng/mL (H)", 24), ("= 24 ng/mL", 24), ("24 ng/mL H", 24), ("24 ng/mL [++]", 24), ("<2.0 ng/mL L", 2)],
)
def test_what_is_printed_around_a_result(knowledge: Knowledge, text: str, expected: int) -> None:
    drawn = level("l", day(19), 7)
    del drawn["valueQuantity"]
    (lab,) = labs(knowledge, drawn | {"valueString": text})["level"]
    assert lab.amount is not None and lab.amount.value == expected


def test_thousands_that_a_point_may_set_off_are_not_guessed(knowledge: Knowledge) -> None:
    fats = observation("o", "2571-8", day(19), 1, "mg/dL")
    del fats["valueQuantity"]
    (lab,) = labs(knowledge, fats | {"valueString": "1.240 mg/dl"})["triglycerides"]
    assert lab.amount is None and lab.problem == "its number can be read in two ways"


@pytest.mark.parametrize("specimen", ["24h-Urin", "Spontanurin", "urine", "尿"])
def test_creatinine_in_urine_is_another_test(knowledge: Knowledge, specimen: str) -> None:
    assert labs(knowledge, local("Kreatinin", 110, "mg/dL", specimen={"display": specimen})) == {}


def test_the_specimen_decides_by_its_code(knowledge: Knowledge) -> None:
    serum = {
        "resourceType": "Specimen",
        "id": "s",
        "type": {"coding": [{"system": "http://snomed.info/sct", "code": "119364003"}]},
    }
    (lab,) = labs(knowledge, serum, level("l", day(19), 7) | {"specimen": {"reference": "Specimen/s"}})["level"]
    assert lab.wrong_specimen == "serum was measured"


@pytest.mark.parametrize(
    ("name", "text", "value", "problem"),
    [
        ("Sirolimus", "7,5 µg/l", "7.5", ""), ("Sirolimus", "12.345 ng/mL", "12.345", ""), ("Thrombozyten", "22,5 G/l", "22.5", ""),
        ("Sirolimus", "1,234 ng/mL", None, "its number can be read in two ways"), ("Thrombozyten", "150.000 /µl", None, "its number can be read in two ways"),
        ("Thrombozyten", "150,000 /uL", None, "its number can be read in two ways"), ("Sirolimus", "7 5 ng/mL", None, "its text is not one number with a unit"),
    ],
)  # fmt: skip
def test_a_comma_is_a_decimal_comma_unless_it_may_set_off_thousands(
    knowledge: Knowledge, name: str, text: str, value: str | None, problem: str
) -> None:
    said = {key: part for key, part in local(name, 0, "").items() if key != "valueQuantity"} | {"valueString": text}
    ((lab,),) = labs(knowledge, said).values()
    assert (lab.amount.value if lab.amount else None, lab.problem) == (Decimal(value) if value else None, problem)


@pytest.mark.parametrize(
    ("code", "quantity", "value"),
    [
        ("59261-8", {"value": 48, "unit": "mmol/mol"}, "6.54"), ("4548-4", {"value": 6.5, "unit": "%"}, "6.5"),
        ("8310-5", {"value": 101.3, "unit": "°F", "code": "[degF]"}, "38.5"), ("8310-5", {"value": 38.5, "unit": "°C"}, "38.5"),
        ("4548-4", {"value": 48, "unit": "mmol/mol", "code": "%"}, None), ("8310-5", {"value": 98.6, "unit": "°F", "code": "Cel"}, None),
    ],
)  # fmt: skip
def test_scales_are_converted_and_two_at_once_are_a_gap(
    knowledge: Knowledge, code: str, quantity: dict[str, Any], value: str | None
) -> None:
    ((lab,),) = labs(
        knowledge, observation("o", code, day(19), 0, "") | {"valueQuantity": quantity | {"system": UCUM}}
    ).values()
    assert (lab.amount.value if lab.amount else lab.problem) == (
        Decimal(value) if value else "its unit and its unit code differ"
    )


@pytest.mark.parametrize(
    ("name", "answer", "expected", "positive"),
    [
        ("Urine Pregnancy Test (POCT)", "Positive", "hcg", True), ("Schwangerschaftstest", "negativ", "hcg", False), ("尿妊娠试验", "阳性(+)", "hcg", True),
        ("Prueba de embarazo", "positiva", "hcg", True), ("Hepatitis B Surface Antigen", "Reactive", "hbsag", True), ("HBsAg", "nicht reaktiv", "hbsag", False),
        ("HBV-DNA", "nicht nachweisbar", "hbv-dna", False), ("Anti-HCV", "reaktiv", "hepatitis-c", True), ("HIV Ag/Ab", "non-reactive", "hiv", False),
        ("QuantiFERON-TB Gold Plus", "positive", "tuberculosis-test", True), ("丙肝抗体", "阳性", "hepatitis-c", True),
        ("乙肝表面抗原", "阴性(-)", "hbsag", False), ("Anti-HBc (gesamt)", "positiv", "anti-hbc", True), ("Thrombozytenaggregate", "nachweisbar", "clumps", True),
    ],
)  # fmt: skip
def test_a_test_for_yes_or_no_is_read_by_its_local_name(
    knowledge: Knowledge, name: str, answer: str, expected: str, positive: bool
) -> None:
    result = local(name, 0, "")
    del result["valueQuantity"]
    ((found, (lab,)),) = labs(knowledge, result | {"valueString": answer}).items()
    assert (found, lab.by_name, lab.problem, lab.positive) == (expected, True, "", positive)


@pytest.mark.parametrize(
    ("name", "value", "unit", "expected"),
    [
        ("Sauerstoffsättigung", 88, "%", "oxygen"),
        ("SpO2", 97, "%", "oxygen"),
        ("Körpertemperatur", 38.9, "°C", "temperature"),
    ],
)
def test_a_vital_sign_is_read_by_its_local_name(
    knowledge: Knowledge, name: str, value: float, unit: str, expected: str
) -> None:
    ((found, (lab,)),) = labs(knowledge, local(name, value, unit)).items()
    assert (found, lab.by_name, lab.problem) == (expected, True, "")


@pytest.mark.parametrize("name", ["血小板聚集", "HBsAg quant. Verdünnung", "Temp. Probe", "Anti-HBs"])
def test_a_name_of_another_test_is_none_of_ours(knowledge: Knowledge, name: str) -> None:
    assert labs(knowledge, local(name, 5, "%")) == {}
