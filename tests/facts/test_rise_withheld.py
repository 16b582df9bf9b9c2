"""While a reason of rules/withhold.yaml holds nothing offers a higher dose, on any hook, and the card says why."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from cds.advise import Advice, advise
from cds.chart.request import read_request
from cds.engine import CheckedEngine
from tests.charts import (
    FIRST_LINE,
    RXNORM,
    SNOMED,
    Resource,
    condition,
    day,
    drug,
    hcg,
    intake,
    itp,
    level,
    observation,
    patient,
    sirolimus,
    subject,
    weight,
)
from tests.judge import judge, judge_order, topics
from tests.oracle.charts import chart
from tests.oracle.codes import SIROLIMUS
from tests.oracle.course import taken
from tests.oracle.fhir import resources
from tests.oracle.oracle import reading
from tests.oracle.shapes import as_request

pytestmark = pytest.mark.untraced

LOW = [sirolimus("s", day(0), 2), intake("i", day(61, "07:45")), level("l", day(62, "07:40"), 3.9)]
RENEWAL = [sirolimus("d", day(63), 2, status="draft")]
PEOPLE = [patient(), itp(), FIRST_LINE]
ALT = {"referenceRange": [{"high": {"value": 40, "unit": "U/L"}}]}
OPERATION = {"resourceType": "Procedure", "id": "p", "status": "completed", "subject": subject(), "performedDateTime": day(35),
             "code": {"coding": [{"system": SNOMED, "code": "38102005"}]}}  # fmt: skip
ALLERGY = {"resourceType": "AllergyIntolerance", "id": "a", "patient": subject(),
           "code": {"coding": [{"system": RXNORM, "code": "35302"}]}}  # fmt: skip
LIPIDS = [observation("t", "2571-8", day(61), 1001, "mg/dL")]
PREGNANT = hcg(valueString="positive", effectiveDateTime=day(60))
UNCLEAR = hcg(valueQuantity={"value": 1250, "unit": "m[IU]/mL"}, effectiveDateTime=day(60))
MILD = {"severity": {"coding": [{"system": SNOMED, "code": "255604002", "display": "Mild"}]}}


def worded(text: str, more: Resource | None = None) -> Resource:
    return drug("x", "fluconazole", day(0)) | {"dosageInstruction": [{"text": text} | (more or {})]}


VIRUS = observation("v", "29615-2", day(61), 0, "IU/mL") | {"valueString": "detected"}
del VIRUS["valueQuantity"]
ONE_SAMPLE = "one sample of urine has protein in the nephrotic range"
KIDNEY = [observation("k0", "2160-0", day(30), 0.8, "mg/dL"), observation("k1", "2160-0", day(61), 1.2, "mg/dL")]
REASONS = {
    "pneumonitis": ([condition("c", "205237003", day(50))], "lung disease is on record", (50, None)),
    "pneumonitis that is over": ([condition("c", "205237003", day(9), "resolved")], "lung disease is on record", (9, None)),
    "tuberculosis": (
        [condition("c", "56717001", day(-500))],
        "tuberculosis or an invasive fungus is on record",
        (-500, None),
    ),
    "sepsis of 42 days ago": ([condition("c", "91302008", day(21))], "sepsis is on record", (21, 63)),
    "neutrophils of 0.9": ([observation("n", "751-8", day(61), 0.9, "10*9/L")], "few neutrophils", (61, 75)),
    "angioedema of 90 days ago": ([condition("c", "41291007", day(-27))], "angioedema is on record", (-27, 63)),
    "thrombosis of 90 days ago": ([condition("c", "128053003", day(-27))], "an acute thrombosis is on record", (-27, 63)),
    "microangiopathy of 90 days ago": ([condition("c", "126729006", day(-27))], "a thrombotic microangiopathy is on record", (-27, 63)),
    "creatinine of one and a half": (KIDNEY, "creatinine has risen", (61, 89)),
    "triglycerides of 1001": (LIPIDS, "triglycerides or cholesterol of the highest grade", (61, 151)),
    "stomatitis of no grade": ([condition("c", "61170000", day(35))], "stomatitis is on record", (35, 63)),
    "an operation 28 days ago": ([OPERATION], "an operation was done", (35, 63)),
    "cancer": ([condition("c", "363346000", day(-900))], "malignant disease is on record", (-900, None)),
    "a positive pregnancy test": ([PREGNANT], "pregnancy is on record", ()),
    "a pregnancy test without its limit": ([UNCLEAR], "a pregnancy test that cannot be read", ()),
    "an allergy": ([ALLERGY], "an allergy to sirolimus is on record", ()),
    "liver enzymes over five times": ([observation("e", "1742-6", day(61), 201, "U/L") | ALT], "high liver enzymes", (61, 89)),
    "one sample of protein of 3.5": ([observation("u", "2890-2", day(61), 3.5, "g/g")], ONE_SAMPLE, (61, None)),
    "one collection of 3.5": ([observation("u", "2889-4", day(61), 3.5, "g/(24.h)")], ONE_SAMPLE, ()),
    "one sample of albumin of 2.2": ([observation("u", "9318-7", day(61), 2200, "mg/g")], ONE_SAMPLE, ()),
    "haemoglobin of 7.9": ([observation("hb", "718-7", day(61), 7.9, "g/dL")], "haemoglobin is very low", (61, 75)),
    "a strong inhibitor": ([drug("x", "clarithromycin", day(0))], "a strong inhibitor raises the level", ()),
    "an inhibitor from the day after tomorrow": ([drug("x", "clarithromycin", day(65)) | {"authoredOn": day(62)}], "a drug that moves the level is ordered and begins later", ()),
    "a newer level in plasma": ([level("p", day(62, "09:00"), 27) | {"specimen": {"display": "Plasma"}}], "a level in serum or plasma is above the target", ()),
    "an inhibitor as needed": ([drug("x", "fluconazole", day(0), as_needed=True)], "a drug that moves the level is taken only as needed", ()),
    "an inhibitor as needed in words": ([drug("x", "fluconazole", day(0)) | {"dosageInstruction": [{"text": "150 mg bei Bedarf"}]}], "a drug that moves the level is taken only as needed", ()),
    "fever of 38.0": ([observation("f", "8310-5", day(56), 38, "Cel")], "fever is on record", ()),
    "fever of a week ago by its name": ([condition("c", "386661006", day(56))], "fever is on record", ()),
    "an oxygen saturation of 89": ([observation("o", "59408-5", day(61), 89, "%")], "the oxygen saturation is very low", (61, None)),
    "virus of hepatitis B": ([VIRUS, drug("x", "fluconazole", day(-90)) | {"medicationCodeableConcept": {"text": "Entecavir 0.5 mg"}}], "hepatitis B virus DNA is detected", ()),
    "pancreatitis of 90 days ago": ([condition("c", "197456007", day(-27))], "pancreatitis is on record", (-27, 63)),
    "a wound that opened": ([{**condition("c", "", day(50)), "code": {"text": "Wound dehiscence"}}], "a wound that has opened is on record", (50, 78)),
    "an inhibitor as needed by a code of its timing": ([worded("", {"timing": {"code": {"text": "Q6H PRN"}}})], "a drug that moves the level is taken only as needed", ()),
    "an inhibitor since today": ([drug("x", "fluconazole", day(63))], "an inhibitor that no level has followed", ()),
}  # fmt: skip
"""By what is on record: the resources, the words, and the days of the course from which and until which, where they are said."""
NO_REASON = {
    "lung disease of before, that is over": condition("c", "205237003", day(-50), "resolved"),
    "sepsis of 43 days ago": condition("c", "91302008", day(20)),
    "one sample of protein of 3.4": observation("u", "2890-2", day(61), 3.4, "g/g"),
    "haemoglobin of 8": observation("hb", "718-7", day(61), 8, "g/dL"),
    "neutrophils of 1.0": observation("n", "751-8", day(61), 1.0, "10*9/L"),
    "angioedema of 91 days ago": condition("c", "41291007", day(-28)),
    "thrombosis of 91 days ago": condition("c", "128053003", day(-28)),
    "microangiopathy of 91 days ago": condition("c", "126729006", day(-28)),
    "triglycerides of 1000": observation("t", "2571-8", day(61), 1000, "mg/dL"),
    "mild stomatitis": condition("c", "61170000", day(60)) | MILD,
    "an operation 29 days ago": OPERATION | {"performedDateTime": day(34)},
    "cancer in remission": condition("c", "363346000", day(-900), "remission"),
    "liver enzymes of five times": observation("e", "1742-6", day(61), 200, "U/L") | ALT,
    "an inhibitor as needed that was stopped": drug("x", "fluconazole", day(0), end=day(20), as_needed=True),
    "fever of eight days ago": observation("f", "8310-5", day(55), 39.5, "Cel"),
    "an inhibitor with a condition about food": worded("1-0-1. Nur bei leerem Magen einnehmen"),
    "an inhibitor to be taken only after food": worded("Take only if you have eaten"),
    "fever of eight days ago by its name": condition("c", "386661006", day(55)),
    "hay fever": {key: value for key, value in condition("c", "", day(55)).items() if key != "onsetDateTime"}
    | {"code": {"text": "Hay fever"}},
    "a chronic pancreatitis": {**condition("c", "", day(50)), "code": {"text": "Chronic pancreatitis"}},
    "a wound that has healed": {**condition("c", "", day(50)), "code": {"text": "Wound dehiscence, healed"}},
    "a temperature of 37.9": observation("f", "8310-5", day(61), 37.9, "Cel"),
    "an oxygen saturation of 90": observation("o", "59408-5", day(61), 90, "%"),
    "pancreatitis of 91 days ago": condition("c", "197456007", day(-28)),
    "a wound that opened 29 days ago": {**condition("c", "", day(34)), "code": {"text": "Wound dehiscence"}},
    "a dehiscence in the ear": {**condition("c", "", day(50)), "code": {"text": "Superior canal dehiscence"}},
    "a settled moderate inhibitor": drug("x", "fluconazole", day(0)),
}


def opened(engine: CheckedEngine, *more: Resource) -> Advice:
    return judge(engine, 63, *LOW, *more)


def renewed(engine: CheckedEngine, *more: Resource) -> Advice:
    return judge_order(engine, 63, RENEWAL, *PEOPLE, *LOW, *more, adult=False)


def trough_low(advice: Advice) -> Resource:
    return next(card for card in advice.cards if card["source"]["topic"]["code"] == "troughLow")


def offers(advice: Advice) -> list[str]:
    return [s["label"] for card in advice.cards for s in card.get("suggestions", ()) if "mg/day" in s["label"]]


@pytest.mark.parametrize("asked", [opened, renewed])
def test_a_low_level_offers_a_higher_dose(engine: CheckedEngine, asked: Any) -> None:
    assert offers(asked(engine)) == ["Change the order to 3 mg/day"]


@pytest.mark.parametrize("asked", [opened, renewed])
@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_takes_the_offer_away_and_the_card_says_which(engine: CheckedEngine, reason: str, asked: Any) -> None:
    record, says, days = REASONS[reason]
    advice = asked(engine, *record)
    assert offers(advice) == []
    said = f"No dose is proposed: no rise is offered: {says}"
    for first, last in (days,) if days else ():
        until = f"until {day(last)} at most" if last else "while it is on record"
        said += f" (since {day(first)}, {until})"
    assert said in trough_low(advice)["detail"]


@pytest.mark.parametrize("reason", NO_REASON)
def test_what_is_just_no_reason_leaves_the_offer(engine: CheckedEngine, reason: str) -> None:
    advice = opened(engine, NO_REASON[reason])
    assert "troughLow" in topics(advice)
    assert offers(advice) == ["Change the order to 3 mg/day"]


def test_of_several_reasons_two_are_said(engine: CheckedEngine) -> None:
    several = [condition(code, code, day(60)) for code in ("205237003", "91302008", "41291007")]
    detail = trough_low(opened(engine, *several))["detail"]
    (line,) = [line for line in detail.split("\n") if "no rise is offered" in line]
    assert "lung disease is on record" in line and "sepsis is on record" in line and "angioedema" not in line


# --- of random charts, on every hook ----------------------------------------------------------------

SEEDS = 400


def mg_a_day(order: Resource) -> Decimal | None:
    """The mean dose of an order of one step; the solution has 1 mg in 1 mL."""
    (step,) = order["dosageInstruction"] if len(order.get("dosageInstruction", ())) == 1 else (None,)
    if step is None or "doseAndRate" not in step or "frequency" not in step.get("timing", {}).get("repeat", {}):
        return None
    repeat, amount = step["timing"]["repeat"], step["doseAndRate"][0]["doseQuantity"]["value"]
    days = Decimal(repeat["period"]) * {"d": 1, "wk": 7}[repeat["periodUnit"]]
    return Decimal(str(amount)) * repeat["frequency"] / days


def is_sirolimus(resource: Resource) -> bool:
    codings = resource.get("medicationCodeableConcept", {}).get("coding", ())
    return resource["resourceType"] == "MedicationRequest" and any(c.get("code") in SIROLIMUS for c in codings)


def on_every_hook(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The chart as it is, when it is opened, and when its orders are selected and signed: its drafts, else renewals."""
    mine = list(resources(body))
    (person,) = [each for each in mine if each["resourceType"] == "Patient"]
    entries = body.get("context", {}).get("draftOrders", {}).get("entry", ())
    drafts = [entry["resource"] for entry in entries]
    names = {draft["id"] for draft in drafts}
    record = [each for each in mine if each is not person and each["id"] not in names]
    running = [each for each in record if is_sirolimus(each) and each["status"] == "active"]
    drafts = drafts or [each | {"id": f"new-{each['id']}", "status": "draft"} for each in running]
    hooks = {hook: as_request(hook, person, record, drafts, None) for hook in ("patient-view", "order-sign")}
    chosen = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
    return {"as it is": body, **hooks, "order-select": as_request("order-select", person, record, drafts, chosen)}


def written(asked: dict[str, Any]) -> dict[str, Decimal | None]:
    """The dose of each order, as it was written; a draft stands for what is on record by the same name."""
    drafts = [entry["resource"] for entry in asked.get("context", {}).get("draftOrders", {}).get("entry", ())]
    return {each["id"]: mg_a_day(each) for each in [*resources(asked), *drafts] if is_sirolimus(each)}


def doses_offered(advice: Advice) -> list[tuple[Decimal, Resource]]:
    """The doses of sirolimus that the actions of all suggestions would write, each with its order."""
    actions = [a for card in advice.cards for s in card.get("suggestions", ()) for a in s["actions"]]
    orders = [a["resource"] for a in actions if a["type"] != "delete" and is_sirolimus(a["resource"])]
    return [(dose, each) for each in orders if each["status"] != "on-hold" and (dose := mg_a_day(each)) is not None]


@pytest.mark.slow
def test_while_a_rise_is_withheld_no_card_of_any_hook_offers_more_than_is_taken(engine: CheckedEngine) -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        body, now = chart(seed)
        for hook, asked in on_every_hook(body).items():
            advice = advise(read_request(json.dumps(asked).encode()), engine, now, max_cards=99)
            if "rise_withheld" not in advice.situation.facts.values:
                continue
            seen["withheld"] += 1
            course = reading(asked, now).course
            running = taken(tuple(order for order in course.current if order.status == "active"))
            for dose, order in doses_offered(advice):
                seen["offered"] += 1
                limit = running.mean if running is not None else written(asked)[order["id"]]
                assert limit is not None and dose <= limit, f"seed {seed}, {hook}: {dose} mg/day, above {limit}"
    assert seen["withheld"] > SEEDS / 2 and seen["offered"] > 20, seen


@pytest.mark.parametrize(("protein", "offered"), [(2, True), (2.1, False)])
def test_one_sample_of_a_child_in_its_nephrotic_range_is_enough(
    engine: CheckedEngine, protein: float, offered: bool
) -> None:
    child = [patient("2012-01-01"), itp(), weight("w", day(60), 40), sirolimus("s", day(0), 1, tablet="0.5"), *LOW[1:]]
    advice = judge(engine, 63, *child, observation("u", "2890-2", day(61), protein, "g/g"), adult=False)
    assert bool(offers(advice)) == offered
