"""What is planted in a quiet course, one hazard a rule, and whether the rule speaks at the first visit that could see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from cds.advise import advise
from cds.authoring.scenarios import body_of, scenarios_of
from cds.chart.request import read_request
from cds.compiled.hooks import Hook
from cds.engine import CheckedEngine
from tests.burden.course import Card, Coder, Course, as_it_is
from tests.charts import (
    RXNORM,
    SNOMED,
    Resource,
    answered,
    as_bytes,
    condition,
    count,
    day,
    drug,
    given,
    hcg,
    intake,
    level,
    observation,
    ordered,
    patient,
    sirolimus,
    subject,
    weight,
)
from tests.conftest import RULES

Drafts = list[Resource]


@dataclass(frozen=True)
class Hazard:
    """``setup`` shapes the patient before the first visit; ``plant`` happens on the day before the visit of ``week``."""

    week: int
    plant: Callable[[Course, int], Drafts | None]
    setup: Callable[[Course], None] = lambda course: None
    hook: Hook = "patient-view"


def planted(rule: str, engine: CheckedEngine, coder: Coder = as_it_is) -> tuple[list[Card], list[Card]]:
    """The cards of the visit before a rule's hazard (none before the first), and of the visit that could see it."""
    hazard = HAZARDS[rule]
    course = Course(7, quiet=True, coder=coder)
    hazard.setup(course)
    earlier: list[Card] = []
    for week in range(hazard.week + 1):
        course.before(week)
        if week == 0 and hazard.week > 0:
            course.order(course.start, day(0))
        if week == hazard.week - 1:
            earlier = course.ask(engine, week)
    drafts = hazard.plant(course, 7 * hazard.week - 1)
    return earlier, course.ask(engine, hazard.week, hazard.hook, drafts)


def scenario_day(rule: str, engine: CheckedEngine, coder: Coder) -> list[Card]:
    """The cards of the first day of a scenario that expects a rule for which no hazard is written here."""
    checks = (check for scenario in scenarios_of(RULES, []) for check in scenario.checks)
    body, now = body_of(next(check for check in checks if rule in check.expected), engine.knowledge)
    return advise(read_request(as_bytes(coder(json.loads(body)))), engine, now, max_cards=99).cards


def rules_of(card: Card) -> set[str]:
    """Every rule that a card speaks for."""
    return {finding["rule"] for finding in card["extension"]["net.sirolimus-itp-cds.findings"]}


def caught(rule: str, engine: CheckedEngine, coder: Coder = as_it_is) -> bool:
    """Whether the rule is silent at the visit before, and speaks at the one after the hazard; or speaks on a day of a scenario."""
    if rule not in HAZARDS:
        return any(rule in rules_of(card) for card in scenario_day(rule, engine, coder))
    earlier, seen = planted(rule, engine, coder)
    return not any(rule in rules_of(card) for card in earlier) and any(rule in rules_of(card) for card in seen)


def draft(mg: float) -> Hazard:
    """A first order of so much."""
    return Hazard(0, lambda course, on: [sirolimus("d", day(0), mg, status="draft", tablet="0.5")], hook="order-sign")


def first(plant: Callable[[Course], None]) -> Hazard:
    """A first order of 2 mg beside something."""

    def run(course: Course, on: int) -> Drafts:
        plant(course)
        return [sirolimus("d", day(0), 2, status="draft")]

    return Hazard(0, run, hook="order-sign")


def partner(text: str, week: int = 6) -> Hazard:
    """Another drug is being signed."""
    return Hazard(week, lambda course, on: [other(text, on)], hook="order-sign")


def other(text: str, on: int, status: str = "draft") -> Resource:
    return drug("d", "prednisone", day(on), status=status) | {"medicationCodeableConcept": {"text": text}}


def found(week: int, *make: Callable[[int], Resource]) -> Hazard:
    """Something enters the record."""
    return Hazard(week, lambda course, on: course.add(*(each(on) for each in make)))


def result(code: str, value: float, unit: str, upper: float | None = None) -> Callable[[int], Resource]:
    def make(on: int) -> Resource:
        made = observation(f"r{code}", code, day(on, "09:00"), value, unit)
        return made | ({"referenceRange": [{"high": {"value": upper, "unit": unit, "code": unit}}]} if upper else {})

    return make


def bad(code: str) -> Callable[[int], Resource]:
    return lambda on: condition("bad", code, day(on))


def small_child(course: Course) -> None:
    course.add(patient("2021-06-01", "male"), weight("kg", day(-1), 10))
    course.child, course.kg = True, 10


def school_child(course: Course) -> None:
    course.add(patient("2014-06-01", "male"), weight("kg", day(-1), 40))
    course.child, course.kg, course.start = True, 40, 1


def change(**state: object) -> Callable[[Course], None]:
    def run(course: Course) -> None:
        for name, value in state.items():
            setattr(course, name, value)

    return run


def leave_out(*references: str) -> Callable[[Course], None]:
    def run(course: Course) -> None:
        for reference in references:
            course.record.pop(reference)

    return run


def _leans_on_steroid(course: Course) -> None:
    course.ramp = 4
    course.add(drug("p", "prednisone", day(-7), mg=10))


def woman(course: Course) -> None:
    course.add(patient("1992-06-01", "female"))


def _two_levels(course: Course, on: int) -> None:
    for number, (days, words) in enumerate(((on - 20, "immunoassay CMIA"), (on, "LC-MS/MS"))):
        course.add(level(f"x{number}", day(days, "09:00"), 7) | {"method": {"text": words}})


def _stop(course: Course, on: int) -> None:
    course.end_drug("fluconazole", day(on))


def _too_soon(course: Course, on: int) -> Drafts:
    course.order(2.5, day(on - 3))
    return [sirolimus("d", day(on), 3, status="draft", tablet="0.5")]


def _fall(course: Course, on: int) -> None:
    course.add(count("x", day(on, "09:00"), 40), level("y", day(on, "07:40"), 17), intake("z", day(on - 1, "08:00")))


def _after_dose(course: Course, on: int) -> None:
    course.add(intake("x", day(on, "08:00")), level("y", day(on, "10:00"), 13))


HAZARDS: dict[str, Hazard] = {
    # dosing
    "child-dose-by-size": Hazard(
        0, lambda c, on: [sirolimus("d", day(0), 2, status="draft")], small_child, "order-sign"
    ),
    "dose-above-daily-maximum": draft(41),
    "dose-far-above-window": draft(12),
    "dose-above-window": draft(5),
    "dose-below-window": draft(1),
    "dose-change-too-soon": Hazard(6, _too_soon, hook="order-sign"),
    "duplicate-orders": found(6, lambda on: sirolimus("dup", day(on), 1, tablet="0.5")),
    "hepatic-impairment": first(lambda course: course.add(result("1975-2", 3, "mg/dL", 1.2)(-1))),
    "not-second-line": first(leave_out("MedicationRequest/first-line")),
    "outside-protocol-population": first(lambda course: course.add(condition("e", "75331009", day(-90)))),
    "product-switch": Hazard(
        6, lambda c, on: [sirolimus("d", day(on), 2, solution=True, status="draft")], hook="order-sign"
    ),
    "step-down-to-maintenance": Hazard(13, lambda c, on: None, change(start=3.0, ramp=4)),
    # levels
    "assay-changed": Hazard(6, _two_levels),
    "exposure-shift": Hazard(
        7, lambda c, on: c.add(intake("z", day(on - 1, "08:00")), level("y", day(on, "07:40"), 13))
    ),
    "trough-critical": Hazard(7, lambda c, on: c.add(level("y", day(on, "07:40"), 25))),
    "trough-high": Hazard(7, lambda c, on: c.add(intake("z", day(on - 1, "08:00")), level("y", day(on, "07:40"), 17))),
    "trough-low": Hazard(2, lambda c, on: c.add(intake("z", day(on - 1, "08:00")), level("y", day(on, "07:45"), 3))),
    "trough-low-in-response": Hazard(
        20,
        lambda c, on: c.add(
            intake("z", day(on - 1, "08:00")), level("y", day(on, "07:40"), 3), count("k", day(on), 150)
        ),
    ),
    "trough-not-usable": Hazard(7, _after_dose),
    "trough-overdue": Hazard(3, lambda c, on: None, change(next_level=99)),
    # interactions
    "strong-inhibitor": partner("clarithromycin 500 mg"),
    "strong-inducer": partner("rifampin 600 mg"),
    "moderate-modulator": partner("fluconazole 200 mg"),
    "interacting-drug-stopped": Hazard(7, _stop, lambda course: course.prescribe("fluconazole", day(10), 99)),
    "ciclosporin": partner("Neoral 100 mg"),
    "duplicate-mtor-or-calcineurin-inhibitor": partner("everolimus 5 mg"),
    "ace-inhibitor": partner("lisinopril 10 mg"),
    "live-vaccine": Hazard(
        6,
        lambda c, on: [
            other("", on)
            | {"medicationCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "21"}]}}
        ],
        hook="order-sign",
    ),
    "bleeding-risk-drug": partner("ibuprofen 400 mg", 1),
    "food-and-herbal": found(
        6,
        lambda on: {
            "resourceType": "MedicationStatement",
            "id": "sjw",
            "status": "active",
            "subject": subject(),
            "medicationCodeableConcept": {"text": "St. John's wort"},
            "effectiveDateTime": day(on),
        },
    ),
    # response
    "bleeding-with-low-platelets": found(8, bad("249366005"), lambda on: count("x", day(on, "09:00"), 9)),
    "low-platelets-adult": found(8, lambda on: count("x", day(on, "09:00"), 15)),
    "low-platelets-child": Hazard(8, lambda c, on: c.add(count("x", day(on, "09:00"), 15)), school_child),
    "platelet-count-not-usable": found(
        8, lambda on: given("ivig", "g", day(on - 3)), lambda on: count("x", day(on, "09:00"), 90)
    ),
    "falling-platelets-on-sirolimus": Hazard(20, _fall),
    "steroid-dependence": Hazard(8, lambda c, on: None, _leans_on_steroid),
    "response-complete": Hazard(10, lambda c, on: None, change(ramp=4)),
    "response-partial": Hazard(10, lambda c, on: None, change(ramp=4, best=60.0)),
    "response-none": Hazard(12, lambda c, on: None, change(best=15.0)),
    "response-none-unexposed": Hazard(12, lambda c, on: None, change(best=15.0, per_mg=1.0)),
    "response-not-evaluable": Hazard(10, lambda c, on: leave_out("Observation/plt-0")(c), change(ramp=4, best=60.0)),
    "response-lost": found(30, lambda on: count("x", day(on - 3), 12), lambda on: count("y", day(on), 13)),
    "taper-in-response": Hazard(56, lambda c, on: None, change(ramp=4)),
    # safety
    "malignancy": found(8, bad("363346000")),
    "thrombosis": found(8, bad("128053003")),
    "angioedema": found(8, bad("41291007")),
    "microangiopathy": found(8, bad("126729006")),
    "stomatitis": found(8, bad("61170000")),
    "pregnancy": Hazard(8, lambda c, on: c.add(hcg(valueString="positive", effectiveDateTime=day(on))), woman),
    "contraception": Hazard(0, lambda c, on: [sirolimus("d", day(0), 2, status="draft")], woman, "order-sign"),
    "breastfeeding": Hazard(8, lambda c, on: c.add(bad("866041003")(on)), woman),
    "allergy": first(
        lambda c: c.add(
            {
                "resourceType": "AllergyIntolerance",
                "id": "a",
                "patient": subject(),
                "code": {"coding": [{"system": RXNORM, "code": "35302"}]},
            }
        )
    ),
    "neutropenia": found(8, result("751-8", 0.8, "10*9/L")),
    "anaemia": found(8, result("718-7", 7.5, "g/dL")),
    "hyperlipidaemia": found(8, result("2571-8", 620, "mg/dL")),
    "proteinuria": found(
        8, lambda on: observation("u", "2890-2", day(on - 6), 1.4, "g/g"), result("2890-2", 1.3, "g/g")
    ),
    "renal-decline": found(8, result("2160-0", 1.4, "mg/dL")),
    "liver-enzymes": found(8, result("1742-6", 150, "U/L", 40)),
    "hyperglycaemia": found(8, result("1558-6", 140, "mg/dL")),
    "pneumonitis": found(8, bad("205237003")),
    "serious-infection": found(8, bad("91302008")),
    "surgery-planned": found(8, lambda on: ordered("op", "38102005", day(on), occurrenceDateTime=day(on + 12))),
    "hepatitis-b": found(
        8, lambda on: answered("b", "5196-1", day(on), {"coding": [{"system": SNOMED, "code": "10828004"}]})
    ),
    # monitoring
    "baseline-workup": first(leave_out("Observation/creatinine")),
    "monitoring-overdue": Hazard(
        2,
        lambda c, on: leave_out(
            *(r for r in c.record if ("plt-" in r and r[-2:] != "-0") or "hemoglobin-" in r or "neutrophils-" in r)
        )(c),
    ),
    "pjp-prophylaxis": found(8, lambda on: other("mycophenolate mofetil 500 mg", on, "active")),
    "not-assessed": found(8, lambda on: level("x", day(on, "09:00"), 7, "furlong")),
}
