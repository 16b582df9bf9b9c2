"""One simulated course: a body, a record, and a clinician who acts on seven cards of ten."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from cds.advise import advise
from cds.chart.request import read_request
from cds.compiled.hooks import Hook
from cds.engine import CheckedEngine
from tests.charts import (
    FIRST_LINE,
    START,
    Resource,
    as_bytes,
    bloods,
    bundle,
    condition,
    count,
    day,
    drug,
    given,
    hcg,
    intake,
    itp,
    level,
    observation,
    ordered,
    patient,
    request,
    sirolimus,
    weight,
)

ACTS = 0.7
WEEKS = 52
Card = dict[str, Any]
LABS: dict[
    str, tuple[str, float, str, float, float]
] = {  # code, normal, unit, value when out of range, share of courses
    "hemoglobin": ("718-7", 13.5, "g/dL", 7.5, 0.03),
    "neutrophils": ("751-8", 3.5, "10*9/L", 0.8, 0.03),
    "triglycerides": ("2571-8", 130, "mg/dL", 620, 0.15),
    "creatinine": ("2160-0", 0.8, "mg/dL", 1.4, 0.04),
    "alt": ("1742-6", 22, "U/L", 150, 0.05),
    "glucose": ("1558-6", 88, "mg/dL", 140, 0.04),
    "protein": ("2890-2", 0.1, "g/g", 1.4, 0.02),
}
_DUE = {
    "hemoglobin": (1, 2, 4, 12),
    "neutrophils": (1, 2, 4, 12),
    "triglycerides": (4, 12, 12, 52),
    "protein": (12, 12, 12, 26),
}
_USUAL = (4, 4, 12, 12)
_EVENTS = {"clarithromycin": 0.08, "fluconazole": 0.05, "ibuprofen": 0.10, "lisinopril": 0.04, "rifampin": 0.01}
_CONDITIONS = {"sepsis": ("91302008", 0.02), "pneumonitis": ("205237003", 0.02), "bleed": ("249366005", 0.10)}


_FOR_GOOD = {"response-none", "pregnancy", "malignancy"}
_OTHER_DRUGS = {"strong-inhibitor", "strong-inducer", "bleeding-risk-drug"}
Coder = Callable[[Resource], Resource]


def _rules(card: Card) -> set[str]:
    return {finding["rule"] for finding in card["extension"]["net.sirolimus-itp-cds.findings"]}


def as_it_is(body: Resource) -> Resource:
    """Coded as our own tests code."""
    return body


class Course:
    """A patient over a year. ``quiet`` leaves out all that goes wrong by chance, so that a hazard can be planted.

    ``coder`` writes what is asked in other codes of the same meaning.
    """

    def __init__(self, seed: int, quiet: bool = False, coder: Coder = as_it_is) -> None:
        self.rng = random.Random(seed)
        self.quiet, self.coder = quiet, coder
        rng = self.rng
        self.child = not quiet and rng.random() < 0.2
        self.kg = rng.uniform(15, 60) if self.child else 70.0
        age = rng.randint(4, 16) if self.child else rng.randint(19, 75)
        self.female = not quiet and rng.random() < 0.6
        self.record: dict[str, Resource] = {}
        self.add(patient(f"{2024 - age}-01-02", "female" if self.female else "male"), itp(), FIRST_LINE)
        self.start = 1.0 if self.child else 2.0 if quiet or rng.random() < 0.7 else 3.0
        self.dose, self.order_number, self.held_until = 0.0, 0, -1
        self.per_mg = 3.5 * (70 / self.kg) ** 0.75 * (1.0 if quiet else rng.lognormvariate(0, 0.35))
        self.baseline = rng.uniform(6, 25) if not quiet else 14.0
        self.best = rng.choice(
            (rng.uniform(105, 220), self.baseline * rng.uniform(2.3, 4) + 10, self.baseline * rng.uniform(0.8, 1.5))
        )
        self.best = 150.0 if quiet else self.best
        self.ramp = rng.uniform(4, 12)
        self.relapses = not quiet and rng.random() < 0.05
        self.out = {lab for lab, row in LABS.items() if not quiet and rng.random() < row[4]}
        self.out_from = {lab: rng.randint(6, 40) for lab in LABS}
        self.next_level, self.level_ordered, self.tests_ordered = 2, False, False
        self.last_lab = dict.fromkeys(LABS, 0)
        self.factor: dict[str, tuple[int, float]] = {}  # interacting drugs: since when, times what
        self.forced: dict[str, float] = {}  # what a planted hazard makes of the next result
        self.serial = 0
        self.stopped = False

    # --- the record --------------------------------------------------------------------------------

    def add(self, *resources: Resource) -> None:
        for each in resources:
            self.record[f"{each['resourceType']}/{each['id']}"] = each

    def name(self, word: str) -> str:
        self.serial += 1
        return f"{word}-{self.serial}"

    def order(self, mg: float, on: str) -> None:
        """A new order of sirolimus that takes the place of the one before."""
        self.end_order(on)
        self.order_number += 1
        self.dose = mg
        self.add(sirolimus(f"siro-{self.order_number}", on, mg, tablet="0.5"))

    def end_order(self, on: str) -> None:
        before = self.record.get(f"MedicationRequest/siro-{self.order_number}")
        if before is not None and before["status"] == "active":
            before["status"] = "stopped"
            before["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"] = on
        self.dose = 0.0

    def prescribe(self, name: str, on: str, weeks: int, factor: float = 1.0) -> None:
        """Another drug for some weeks."""
        self.add(drug(self.name(name), name, on))
        self.factor[name] = (weeks, factor)

    def end_drug(self, name: str, on: str) -> None:
        self.factor.pop(name, None)
        for each in self.record.values():
            if (
                each["resourceType"] == "MedicationRequest"
                and each["id"].startswith(name)
                and each["status"] == "active"
            ):
                each["status"] = "stopped"
                each["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"] = on

    # --- what happens before a visit ---------------------------------------------------------------

    def platelets(self, week: int) -> float:
        share = min(1.0, max(0.0, (week - 2) / self.ramp))
        value = self.baseline + (self.best - self.baseline) * share
        if self.relapses and week > 30:
            value = self.baseline
        return max(2.0, value * (1.0 if self.quiet else self.rng.lognormvariate(0, 0.15)))

    def concentration(self) -> float:
        value = self.dose * self.per_mg * (1.0 if self.quiet else self.rng.lognormvariate(0, 0.12))
        for _, factor in self.factor.values():
            value *= factor
        return value

    def before(self, week: int) -> None:
        """Results and events of the days before the visit of ``week``."""
        drawn = 7 * week - 1
        if week == 0:
            self.add(count("plt-0", day(-2), round(self.baseline)))
            self.add(*bloods(day(-2)), observation("neutrophils-0", "751-8", day(-2), 3.5, "10*9/L"))
            if self.female:
                self.add(hcg(valueString="negative", effectiveDateTime=day(-2)))
            if not self.quiet and self.rng.random() < 0.5:
                self.add(drug("prednisone-a", "prednisone", day(-30), mg=20))
            self._weigh(drawn)
            return
        if week == 8 and "MedicationRequest/prednisone-a" in self.record:
            self.end_drug("prednisone", day(drawn))
        self._count(week, drawn)
        if week >= self.next_level or self.level_ordered:
            self._level(week, drawn)
        self._labs(week, drawn)
        if self.child and week % 8 == 0:
            self._weigh(drawn)
        if not self.quiet:
            self._events(week, drawn)

    def _weigh(self, drawn: int) -> None:
        if self.child:
            self.add(weight(self.name("kg"), day(drawn), round(self.kg, 1)))

    def _count(self, week: int, drawn: int) -> None:
        every = 1 if week <= 4 else 2 if week <= 13 else 4
        if week % every == 0 or "platelets" in self.forced:
            value = self.forced.pop("platelets", None) or self.platelets(week)
            self.add(count(self.name("plt"), day(drawn), round(value)))
            if value < 12 and not self.quiet and self.rng.random() < 0.1:
                self.add(given("ivig", self.name("ivig"), day(drawn)))

    def _level(self, week: int, drawn: int) -> None:
        if not self.quiet and not self.level_ordered and self.rng.random() < 0.1:
            self.next_level = week + 2  # forgotten
            return
        if not self.dose:
            return
        if self.quiet or self.rng.random() < 0.9:
            self.add(intake(self.name("dose"), day(drawn - 1, "08:00")))
            value, clock = self.concentration(), "07:40"
        else:
            self.add(intake(self.name("dose"), day(drawn, "08:00")))
            value, clock = self.concentration() * 1.8, "10:00"
        value = self.forced.pop("level", None) or value
        self.add(level(self.name("level"), day(drawn, clock), round(value, 1)))
        self.level_ordered = False
        self._done("29247-4")
        self.next_level = week + (4 if week <= 13 else 10)

    def _done(self, code: str) -> None:
        for each in self.record.values():
            if each["resourceType"] == "ServiceRequest" and each["code"]["coding"][0]["code"] == code:
                each["status"] = "completed"

    def _labs(self, week: int, drawn: int) -> None:
        stretch = 0 if week <= 4 else 1 if week <= 13 else 2 if week <= 26 else 3
        for lab, (code, normal, unit, bad, _) in LABS.items():
            due = week - self.last_lab[lab] >= _DUE.get(lab, _USUAL)[stretch]
            if (
                not (due and (self.quiet or self.rng.random() < 0.85))
                and not self.tests_ordered
                and lab not in self.forced
            ):
                continue
            out = lab in self.out and week >= self.out_from[lab]
            value = self.forced.pop(lab, None) or (bad if out else normal) * (
                1.0 if self.quiet else self.rng.lognormvariate(0, 0.05)
            )
            result = observation(self.name(lab), code, day(drawn), round(value, 2), unit)
            if lab == "alt":
                result["referenceRange"] = [{"high": {"value": 40, "unit": "U/L", "code": "U/L"}}]
            self.add(result)
            self.last_lab[lab] = week
        if self.tests_ordered:
            self.tests_ordered = False
            for each in self.record.values():
                if each["resourceType"] == "ServiceRequest" and each["code"]["coding"][0]["code"] != "29247-4":
                    each["status"] = "completed"

    def _events(self, week: int, drawn: int) -> None:
        for name, (weeks, factor) in list(self.factor.items()):
            if weeks <= 0:
                self.end_drug(name, day(drawn))
            else:
                self.factor[name] = (weeks - 1, factor)
        for name, (code, share) in _CONDITIONS.items():
            if self.rng.random() < share / WEEKS:
                self.add(condition(self.name(name), code, day(drawn)))
            for each in self.record.values():  # nothing lasts longer than three weeks
                if each["id"].startswith(name) and each["onsetDateTime"] <= day(drawn - 21):
                    each["clinicalStatus"]["coding"][0]["code"] = "resolved"
                    each["abatementDateTime"] = each.get("abatementDateTime", day(drawn))
        if self.rng.random() < 0.05 / WEEKS:
            self.add(ordered(self.name("op"), "38102005", day(drawn), occurrenceDateTime=day(drawn + 12)))

    # --- the visit ---------------------------------------------------------------------------------

    def now(self, week: int) -> datetime:
        return datetime.combine(START + timedelta(days=7 * week), time(10, 0), UTC)

    def ask(
        self, engine: CheckedEngine, week: int, hook: Hook = "patient-view", drafts: list[Resource] | None = None
    ) -> list[Card]:
        content = (
            request(hook, list(self.record.values()), drafts) if drafts is not None else bundle(*self.record.values())
        )
        return advise(read_request(as_bytes(self.coder(content))), engine, self.now(week)).cards

    def visit(self, engine: CheckedEngine, week: int) -> list[Card]:
        """Every card of a visit: on opening the chart, and on signing what the clinician then orders."""
        self.before(week)
        seen: list[Card] = []
        if not self.dose and not self.stopped and week >= self.held_until:
            seen += self.sign(engine, week, sirolimus("draft", day(7 * week), self.start, tablet="0.5", status="draft"))
        cards = self.ask(engine, week) if week else []
        seen += cards
        for card in cards:
            if self.rng.random() < ACTS:
                seen += self.act(engine, week, card)
        for name, share in _EVENTS.items():
            if not self.quiet and self.rng.random() < share / WEEKS:
                seen += self.sign(engine, week, drug("draft", name, day(7 * week), status="draft"), name)
        return seen

    def sign(self, engine: CheckedEngine, week: int, draft: Resource, other: str = "") -> list[Card]:
        """Sign an order, unless a warning or worse is acted upon."""
        cards = self.ask(engine, week, "order-sign", [draft])
        refused = any(card["indicator"] == "critical" or (other and card["indicator"] == "warning") for card in cards)
        if refused and self.rng.random() < ACTS and (other or not self._made_safe(week, cards)):
            return cards
        if other:
            self.prescribe(
                other, day(7 * week), 1, {"clarithromycin": 3.0, "fluconazole": 1.8, "rifampin": 0.25}.get(other, 1.0)
            )
        else:
            mg = draft["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"]
            self.order(float(mg), day(7 * week))
            self.next_level = week + 2
        for card in cards:
            for suggestion in card.get("suggestions", ()):
                if suggestion["actions"][0]["type"] == "create" and self.rng.random() < ACTS:
                    self._ordered(suggestion["actions"][0]["resource"])
        return cards

    def _ordered(self, draft: Resource) -> None:
        """An order that a button wrote."""
        self.add(json.loads(json.dumps(draft, default=float)) | {"id": self.name("order"), "status": "active"})
        if draft["code"]["coding"][0]["code"] == "29247-4":
            self.level_ordered = True
        else:
            self.tests_ordered = True

    def _made_safe(self, week: int, cards: list[Card]) -> bool:
        """What is critical about starting sirolimus is seen to; whether it may be started then, without the other drugs."""
        critical = [card for card in cards if card["indicator"] == "critical"]
        for card in critical:
            self._remove_reason(week, card)
        return all(_rules(card) & _OTHER_DRUGS for card in critical) and not self.stopped

    def _remove_reason(self, week: int, card: Card) -> None:
        """Something else than sirolimus is tried, or the other drug is stopped."""
        today, rules = day(7 * week), _rules(card)
        if rules & _FOR_GOOD:
            self.end_order(today)
            self.stopped = True
        if rules & _OTHER_DRUGS:
            for name in list(self.factor):
                self.end_drug(name, today)
            for finding in card["extension"]["net.sirolimus-itp-cds.findings"]:
                self._stop_listed(finding.get("evidence", ()))

    def _stop_listed(self, references: Iterable[str]) -> None:
        """Drugs of the list that the patient came with."""
        for reference in references:
            if reference.startswith("MedicationRequest/listed-"):
                self.record[reference] = self.record[reference] | {"status": "stopped"}

    def act(self, engine: CheckedEngine, week: int, card: Card) -> list[Card]:
        """What a clinician does about a card."""
        today = day(7 * week)
        rules = _rules(card)
        if rules & {
            "hyperlipidaemia",
            "renal-decline",
            "liver-enzymes",
            "hyperglycaemia",
            "proteinuria",
            "neutropenia",
            "anaemia",
        }:
            self.out.clear()  # treated
            self.tests_ordered = True
        self._remove_reason(week, card)
        if self.stopped:
            return []
        if rules & {"pneumonitis", "serious-infection"} and self.dose:
            self.end_order(today)
            self.held_until = week + 4
            return []
        for action in [action for each in card.get("suggestions", ()) for action in each["actions"]]:
            if action["type"] == "create":
                self._ordered(action["resource"])
            elif action["resource"]["status"] == "on-hold" and self.dose:
                self.start = max(0.5, self.dose / 2)
                self.end_order(today)
                self.held_until = week + 1
                return []
            elif action["type"] == "update" and self.dose:
                draft = json.loads(json.dumps(action["resource"], default=float)) | {
                    "id": "draft",
                    "status": "draft",
                    "authoredOn": today,
                }
                draft["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"] = {"start": today}
                return self.sign(engine, week, draft)
        return []
