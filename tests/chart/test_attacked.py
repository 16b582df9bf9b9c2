"""What an attack on the reader found, each with the answer that is right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds.advise import advise
from cds.chart.request import read_request
from cds.chart.survey import survey
from cds.engine import CheckedEngine
from tests.charts import (
    LOINC,
    RXNORM,
    Resource,
    as_bytes,
    bundle,
    count,
    day,
    drug,
    hcg,
    intake,
    itp,
    level,
    patient,
    sirolimus,
    subject,
    watched,
)  # fmt: skip
from tests.judge import fact, gaps, judge, judge_order, now_on, topics

TAKEN = sirolimus("s", day(0), 2)
LEVEL = level("l", day(60, "08:00"), 8)


def repeating(order: Resource, **repeat: Any) -> Resource:
    changed: Resource = json.loads(json.dumps(order))
    changed["dosageInstruction"][0]["timing"]["repeat"] |= repeat
    return changed


def amount(order: Resource, **quantity: Any) -> Resource:
    changed: Resource = json.loads(json.dumps(order))
    changed["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"] = quantity
    return changed


def named(order: Resource, text: str) -> Resource:
    return order | {"medicationCodeableConcept": {"text": text}}


# --- doses -----------------------------------------------------------------------------------------


def test_a_comma_in_a_strength_is_a_decimal_comma(engine: CheckedEngine) -> None:
    order = amount(named(TAKEN, "Rapamune 0,5 mg überzogene Tabletten"), value=1, unit="tablet")
    assert str(fact(judge(engine, 70, order), "daily_dose").normalize()) == "0.5"


@pytest.mark.parametrize(("unit", "code"), [("mL", "mg"), ("tablet", "mg"), ("mg", "mL"), ("mg", "{tbl}")])
def test_a_dose_in_two_units_is_a_gap(engine: CheckedEngine, unit: str, code: str) -> None:
    order = amount(TAKEN, value=20, unit=unit, code=code, system="http://unitsofmeasure.org")
    assert fact(judge(engine, 70, order), "daily_dose") is None


def test_a_level_in_two_units_is_a_gap(engine: CheckedEngine) -> None:
    odd = level("l", day(60, "08:00"), 30)
    odd["valueQuantity"]["unit"] = "mg/dL"
    assert "A sirolimus level was not read" in gaps(judge(engine, 62, TAKEN, odd))


@pytest.mark.parametrize(
    "repeat",
    [
        {"when": ["MORN", "EVE"]},  # twice, and once a day
        {"timeOfDay": ["08:00:00", "20:00:00"]},
        {"dayOfWeek": ["mon"], "period": 2, "periodUnit": "wk"},
    ],
)
def test_a_timing_that_contradicts_itself_is_a_gap(engine: CheckedEngine, repeat: Resource) -> None:
    advice = judge(engine, 20, repeating(TAKEN, **repeat))
    assert "Dose per day" in gaps(advice) and not advice.situation.patient.dose.rhythm


def test_after_meals_is_not_once_a_day(engine: CheckedEngine) -> None:
    order = json.loads(json.dumps(TAKEN))
    order["dosageInstruction"][0]["timing"]["repeat"] = {"when": ["PC"]}
    assert fact(judge(engine, 20, order), "daily_dose") is None
    order["dosageInstruction"][0]["timing"]["repeat"] = {"when": ["MORN"]}
    assert fact(judge(engine, 20, order), "daily_dose") == 2


@pytest.mark.parametrize("where", ["text", "code"])
def test_days_of_the_week_beside_a_daily_timing_are_a_gap(engine: CheckedEngine, where: str) -> None:
    order = json.loads(json.dumps(TAKEN))
    if where == "text":
        order["dosageInstruction"][0]["text"] = "Take 5 mg weekly on Monday"
    else:
        order["dosageInstruction"][0]["timing"]["code"] = {"text": "Every Mon, Wed, Fri"}
    assert fact(judge(engine, 20, order), "daily_dose") is None


@pytest.mark.parametrize("draft", [False, True])
def test_instructions_that_overlap_without_numbers_are_a_gap(engine: CheckedEngine, draft: bool) -> None:
    order = sirolimus("s", day(0), 12)
    second = repeating(order)["dosageInstruction"][0]
    second["timing"]["repeat"]["boundsPeriod"] = {"start": day(60)}
    order["dosageInstruction"].append(second)
    advice = judge_order(engine, 70, [order | {"status": "draft"}]) if draft else judge(engine, 70, order)
    assert fact(advice, "daily_dose") is None


@pytest.mark.parametrize("written", ["9999-12-30", "9999-12-31"])
def test_a_duration_beyond_the_end_of_time(engine: CheckedEngine, written: str) -> None:
    for order in (TAKEN, drug("c", "clarithromycin", day(0))):
        late = json.loads(json.dumps(order)) | {"id": "late", "authoredOn": written}
        late["dosageInstruction"][0]["timing"]["repeat"] = {
            "frequency": 1, "period": 1, "periodUnit": "d", "boundsDuration": {"value": 30, "unit": "d"}}  # fmt: skip
        assert fact(judge(engine, 70, TAKEN, LEVEL, late), "daily_dose") == 2


# --- orders ----------------------------------------------------------------------------------------


def test_an_order_stopped_before_its_planned_end_is_stopped(engine: CheckedEngine) -> None:
    early = sirolimus("s", day(0), 2, status="stopped", end=day(365))
    assert gaps(judge(engine, 70, early, LEVEL)) == {"End of the course"}
    followed = judge(engine, 70, early, sirolimus("t", day(40), 3), level("l", day(60, "08:00"), 8))
    assert fact(followed, "daily_dose") == 3
    partner = drug("c", "clarithromycin", day(30), status="stopped", end=day(75))
    assert "strongInhibitor" not in topics(judge(engine, 70, TAKEN, partner))


def test_two_drafts_of_one_id_are_two_orders(engine: CheckedEngine) -> None:
    both = [sirolimus("d", day(70), 40), drug("d", "clarithromycin", day(70))]
    assert {"doseFarAboveWindow", "strongInhibitor"} <= topics(judge_order(engine, 70, both, TAKEN, LEVEL))
    same = [sirolimus("d", day(70), 40), sirolimus("d", day(70), 30)]
    assert "duplicateOrders" in topics(judge_order(engine, 70, same, TAKEN, LEVEL))


@pytest.mark.parametrize("text", ["nirmatrelvir-ritonavir 300 mg-100 mg tablet", "lopinavir-ritonavir 200-50 mg",
                                  "Clarithromycin-ratiopharm 500 mg", "CLARITHROMYCIN_500MG"])  # fmt: skip
def test_a_partner_in_a_joined_word(engine: CheckedEngine, text: str) -> None:
    assert "strongInhibitor" in topics(
        judge(engine, 70, TAKEN, LEVEL, named(drug("c", "clarithromycin", day(65)), text))
    )


@pytest.mark.parametrize("text", ["Sirolimus-1 mg tablet", "SIROLIMUS_1MG TAB", "Sirolimus1mg"])
def test_sirolimus_in_a_joined_word(engine: CheckedEngine, text: str) -> None:
    assert "doseFarAboveWindow" in topics(judge(engine, 13, named(sirolimus("s", day(0), 12), text)))


@pytest.mark.parametrize("text", ["sirolimus coated balloon", "sirolimus-eluting stent"])
def test_a_device_is_no_drug(engine: CheckedEngine, text: str) -> None:
    assert not judge(engine, 13, named(TAKEN, text)).cards


def test_words_that_name_two_drugs_are_a_gap(engine: CheckedEngine) -> None:
    advice = judge(engine, 70, named(TAKEN, "Tacrolimus 1 mg (replaces sirolimus)"))
    assert gaps(advice) == {"MedicationRequest/s was not read"} and fact(advice, "daily_dose") is None


@pytest.mark.parametrize("system", ["http://fhir.de/CodeSystem/bfarm/atc", "http://fhir.de/CodeSystem/dimdi/atc"])
def test_atc_as_german_hospitals_spell_it(engine: CheckedEngine, system: str) -> None:
    coded = {"coding": [{"system": system, "code": "L04AH01"}]}
    assert "doseFarAboveWindow" in topics(
        judge(engine, 13, sirolimus("s", day(0), 12) | {"medicationCodeableConcept": coded})
    )


def test_icd_10_as_german_hospitals_spell_it(engine: CheckedEngine) -> None:
    coded = itp() | {"code": {"coding": [{"system": "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "code": "D69.3"}]}}
    assert fact(judge(engine, 20, patient(), coded, TAKEN, adult=False), "itp_on_record") is True


@pytest.mark.parametrize("code", ["TOPICAL", "IVINJ", "448598008"])
def test_a_route_by_its_code_alone(engine: CheckedEngine, code: str) -> None:
    order = json.loads(json.dumps(sirolimus("s", day(0), 20)))
    order["medicationCodeableConcept"] = {"coding": [{"system": RXNORM, "code": "35302"}]}
    order["dosageInstruction"][0]["route"] = {"coding": [{"code": code}]}
    assert not judge(engine, 13, order).cards


def test_what_a_tablet_is_made_of_is_not_its_strength(engine: CheckedEngine) -> None:
    def of(text: str, mg: float) -> Resource:
        tablet = {"numerator": {"value": mg, "unit": "mg"}, "denominator": {"value": 1, "unit": "tablet"}}
        return {"itemCodeableConcept": {"text": text}, "strength": tablet}

    order = amount({k: v for k, v in TAKEN.items() if k != "medicationCodeableConcept"}, value=2, unit="tablet")
    medication = {"resourceType": "Medication", "id": "m", "ingredient": [of("Lactose", 86), of("Sirolimus", 1)]}
    chart = [order | {"medicationReference": {"reference": "Medication/m"}}, medication]
    assert fact(judge(engine, 13, *chart), "daily_dose") == 2


def test_an_ingredient_may_be_contained_in_the_order(engine: CheckedEngine) -> None:
    order = {k: v for k, v in sirolimus("s", day(0), 12).items() if k != "medicationCodeableConcept"}
    substance = {"resourceType": "Substance", "id": "sub", "code": {"text": "sirolimus"}}
    medication = {"resourceType": "Medication", "id": "m", "ingredient": [{"itemReference": {"reference": "#sub"}}]}
    order |= {"contained": [medication, substance], "medicationReference": {"reference": "#m"}}
    assert "doseFarAboveWindow" in topics(judge(engine, 13, order))


def test_doses_given_without_any_order_are_named(engine: CheckedEngine) -> None:
    doses = [intake(f"i{n}", day(n, "08:00")) for n in range(30)]
    assert gaps(judge(engine, 40, *doses)) == {"Doses without an order"}
    assert not judge(engine, 60, *doses).cards  # five weeks ago


# --- results ---------------------------------------------------------------------------------------


def test_one_instant_in_two_offsets_is_one_sample(engine: CheckedEngine) -> None:
    def at(rid: str, when: str) -> Resource:
        return count(rid, when, 10)

    chart = [
        TAKEN,
        LEVEL,
        count("b", day(-1), 8),
        at("c1", "2024-04-10T23:30:00-05:00"),
        at("c2", "2024-04-11T04:30:00+00:00"),
    ]
    assert "unconfirmed" in fact(judge(engine, 95, *chart), "current_count")


@pytest.mark.parametrize("first", [0, 1])
def test_of_several_ranges_of_hcg_the_lowest_is_the_limit(engine: CheckedEngine, first: int) -> None:
    ranges = [{"high": {"value": 750, "unit": "mIU/mL"}}, {"high": {"value": 5, "unit": "mIU/mL"}}]
    test = hcg(valueQuantity={"value": 600, "unit": "mIU/mL"}, referenceRange=[ranges[first], ranges[1 - first]])
    assert "pregnancy" in topics(judge(engine, 70, TAKEN, LEVEL, test))


@pytest.mark.parametrize(
    ("words", "positive"),
    [("Positive - no repeat needed", True), ("not detected", False), ("Non-reactive", False), ("no", False)],
)
def test_words_of_a_test(engine: CheckedEngine, words: str, positive: bool) -> None:
    assert ("pregnancy" in topics(judge(engine, 70, TAKEN, LEVEL, hcg(valueString=words)))) == positive


def test_a_number_shared_by_two_samples_hides_nothing(engine: CheckedEngine) -> None:
    order = {"identifier": [{"system": "urn:placer", "value": "O1"}]}
    first, second = (
        level("a", day(65, "08:00"), 30) | order,
        level("b", day(65, "10:00"), 12, status="corrected") | order,
    )
    assert "A sirolimus level was not used" in gaps(judge(engine, 66, TAKEN, first, second))


@pytest.mark.parametrize("component", [{"valueString": 30}, {"valueQuantity": "30 ng/mL"}])
def test_a_component_of_the_wrong_shape_is_named(engine: CheckedEngine, component: Resource) -> None:
    code = {"coding": [{"system": LOINC, "code": "29247-4"}]}
    panel = {"resourceType": "Observation", "id": "p", "status": "final", "code": {"text": "panel"}, "subject": subject(),
             "effectiveDateTime": day(60), "component": [{"code": code} | component]}  # fmt: skip
    assert "Observation/p was not read" in gaps(judge(engine, 62, TAKEN, panel))
    alone = gaps(
        judge(engine, 62, TAKEN, panel | {"component": {"code": code}})
    )  # one that is no list is read as one, and lacks its value
    assert any(each.endswith("was not read") for each in alone)


def test_a_list_of_specimens_is_read(engine: CheckedEngine) -> None:
    serum = level("l", day(60), 30) | {"specimen": [{"display": "serum"}]}
    assert "troughCritical" not in topics(judge(engine, 62, TAKEN, serum))
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"coding": [{"system": LOINC, "code": "29247-4"}]},
              "subject": subject(), "specimen": [{"reference": "Specimen/x"}]}  # fmt: skip
    assert not read_request(as_bytes(bundle(patient(), report))).broken


def under_a_local_code(name: str) -> Resource:
    code = {"coding": [{"system": "urn:local", "code": "50994", "display": name}]}
    return level("l", day(60), 30) | {"code": code}


def test_a_level_under_a_local_code_is_read_by_its_name(engine: CheckedEngine) -> None:
    advice = judge(engine, 62, TAKEN, under_a_local_code("Sirolimus"))
    assert "troughCritical" in topics(advice) and "Observation/l was not read" not in gaps(advice)
    assert "troughCritical" in topics(judge(engine, 62, under_a_local_code("Sirolimus")))


def test_a_level_under_another_local_name_is_named_and_not_judged(engine: CheckedEngine) -> None:
    advice = judge(engine, 62, TAKEN, under_a_local_code("Sirolimus LC-MS/MS method B"))
    assert "Observation/l was not read" in gaps(advice) and "troughCritical" not in topics(advice)


def test_a_level_of_somebody_else_is_not_the_patients(engine: CheckedEngine) -> None:
    donor = level("l", day(60), 30) | {"focus": [{"reference": "Patient/donor"}]}
    advice = judge(engine, 62, TAKEN, donor)
    assert "troughCritical" not in topics(advice) and "Observation/l was not read" in gaps(advice)


# --- messages --------------------------------------------------------------------------------------


def test_a_reference_leads_to_the_newest_version(engine: CheckedEngine) -> None:
    order = amount({k: v for k, v in TAKEN.items() if k != "medicationCodeableConcept"}, value=2, unit="tablet")
    order |= {"medicationReference": {"reference": "https://ehr.example/fhir/Medication/m"}}
    old = {
        "resourceType": "Medication",
        "id": "m",
        "meta": {"versionId": "1"},
        "code": {"text": "sirolimus 2 mg tablet"},
    }
    new = old | {"meta": {"versionId": "2"}, "code": {"text": "sirolimus 1 mg tablet"}}
    for chart in ([old, new], [new, old]):
        assert fact(judge(engine, 13, order, *chart), "daily_dose") == 2


def test_version_ids_that_begin_with_digits(engine: CheckedEngine) -> None:
    long = "12345678901234567890"
    both = [
        LEVEL | {"meta": {"versionId": f"{long}-{n}"}, "status": status}
        for n, status in enumerate(("final", "amended"))
    ]
    assert gaps(judge(engine, 62, TAKEN, *both)) == {"Observation/l was not read"}


def test_a_patient_without_an_id_is_known_by_the_full_url(engine: CheckedEngine) -> None:
    url = "urn:uuid:5cbc121b-cd71-4428-b8b7-31e53eba8184"
    person = {key: value for key, value in patient().items() if key != "id"}
    others = [
        each | {"subject": {"reference": url}} for each in (itp(), TAKEN, level("l", day(60), 30), *watched(day(60)))
    ]
    entries = [{"fullUrl": url, "resource": person}, *({"resource": each} for each in others)]
    body = as_bytes({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert topics(advise(read_request(body), engine, now_on(62))) == {"troughCritical"}


@pytest.mark.parametrize("part", ["verificationStatus", "clinicalStatus"])
def test_a_local_code_before_that_of_hl7(engine: CheckedEngine, part: str) -> None:
    code = "refuted" if part == "verificationStatus" else "resolved"
    chart = [patient(), itp() | {part: {"coding": [{"system": "urn:local", "code": "C"}, {"code": code}]}}, TAKEN]
    assert fact(judge(engine, 20, *chart, adult=False), "itp_on_record") is False


def test_what_a_history_deleted_is_gone(engine: CheckedEngine) -> None:
    chart = bundle(patient(), itp(), TAKEN, level("l", day(60), 30))
    chart["entry"].append({"request": {"method": "DELETE", "url": "Observation/l"}, "response": {"status": "204"}})
    assert "troughCritical" not in topics(advise(read_request(as_bytes(chart)), engine, now_on(62)))


def test_lint_of_many_references_is_linear(engine: CheckedEngine) -> None:
    """Eight thousand took forty seconds before; the number of look-ups is what is pinned."""
    orders = [{"resourceType": "MedicationRequest", "id": f"o{n}", "status": "active", "subject": subject(),
               "medicationReference": {"reference": "Medication/none"}} for n in range(2_000)]  # fmt: skip
    found = survey(read_request(as_bytes(bundle(patient(), *orders))), engine.knowledge, now_on(20))
    assert sum(finding.verdict == "cannot be read" for finding in found) == 2_000


@pytest.mark.parametrize("names", ["ab", "ba"])
@pytest.mark.parametrize("clock", ["", "08:00"])
def test_of_two_levels_of_one_day_without_times_the_higher_is_judged_and_it_is_said(
    engine: CheckedEngine, names: str, clock: str
) -> None:
    both = [level(names[0], day(65), 25), level(names[1], day(65, clock), 8)]
    advice = judge(engine, 66, TAKEN, *both)
    assert "troughCritical" in topics(advice) and "Two levels of one day" in gaps(advice)


def test_milligrams_for_each_kilogram_are_no_milligrams(engine: CheckedEngine) -> None:
    order = amount(TAKEN, value=2, unit="mg/kg", code="mg", system="http://unitsofmeasure.org")
    assert fact(judge(engine, 70, order), "daily_dose") is None


@pytest.mark.parametrize(
    ("text", "read"), [("mycophenolate 500 mg, replaces sirolimus", False), ("Sirolimus 1 MG Oral Tablet [New]", True)]
)
def test_words_beside_a_code_that_nobody_knows(engine: CheckedEngine, text: str, read: bool) -> None:
    coded = {"coding": [{"system": RXNORM, "code": "99999999", "display": text}]}
    advice = judge(engine, 13, sirolimus("s", day(0), 12) | {"medicationCodeableConcept": coded})
    assert ("doseFarAboveWindow" in topics(advice)) == read and ("notAssessed" in topics(advice)) == (not read)


def test_unclear_versions_are_named_whatever_their_order(engine: CheckedEngine) -> None:
    both = [sirolimus("s", day(0), 12), sirolimus("s", day(0), 12, status="unknown")]
    for chart in (both, both[::-1]):
        assert gaps(judge(engine, 13, *chart)) == {"MedicationRequest/s was not read"}


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_of_two_counts_of_one_day_without_times_the_lower_is_judged(engine: CheckedEngine, names: str) -> None:
    both = [count(names[0], day(61), 8), count(names[1], day(61), 60)]
    assert "bleedingWithLowPlatelets" in topics(judge(engine, 62, TAKEN, LEVEL, *both))
