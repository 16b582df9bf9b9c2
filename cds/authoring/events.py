"""Events of a scenario as FHIR R4: one line of words, one resource, built and validated by fhir.resources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from cds.chart.labs import GRADE
from cds.chart.prefetch import PREFETCH_TYPES
from cds.compiled.knowledge import Concept, Knowledge
from cds.compiled.systems import OURS

Resource = dict[str, Any]
PATIENT = "itp-1"
RXNORM, LOINC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
_TABLETS = (("1", "349208"), ("0.5", "905158"))
_SOLUTION = "314230"
_RHYTHMS: dict[str, Resource] = {
    "daily": {"frequency": 1, "period": 1, "periodUnit": "d"},
    "twice daily": {"frequency": 2, "period": 1, "periodUnit": "d"},
    "every 2 days": {"frequency": 1, "period": 2, "periodUnit": "d"},
    "weekly": {"frequency": 1, "period": 1, "periodUnit": "wk"},
}
_RHYTHM = "|".join(_RHYTHMS)
_UNITS = {"platelets": "10*9/L", "level": "ng/mL", "trough": "ng/mL", "weight": "kg", "height": "cm"}
_ORDER = re.compile(
    rf"(?P<drug>.+?) (?P<mg>[0-9]+(?:\.[0-9]+)?) mg (?P<rhythm>{_RHYTHM})(?P<solution> as solution)?(?P<too> too)?"
)
_CHANGE = re.compile(r"(?P<drug>.+?) (?P<verb>starts|stops|given|held|taken|missed|stated)")
_GIVEN = {"given": "completed", "taken": "completed", "missed": "not-done"}
_RESULT = re.compile(
    r"(?P<name>[a-z][a-z0-9 -]*?) (?P<sign><=|>=|<|>)?(?P<value>[0-9]+(?:\.[0-9]+)?)(?: (?P<unit>\S+?))?"
    r"(?: \(upper limit (?P<limit>[0-9]+(?:\.[0-9]+)?)\))?(?: by (?P<method>immunoassay|LC-MS))?(?:,? (?P<status>preliminary|corrected))?"
)
_GRADED = re.compile(r"bleeding of grade (?P<grade>[0-4])")
_ANSWER = re.compile(r"(?P<name>[a-z][a-z0-9 -]*?) (?P<answer>positive|negative|present|absent)")
_PLAN = re.compile(r"(?P<name>.+?) planned in (?P<days>[0-9]{1,4}) days")
_STATE = re.compile(r"(?P<name>.+?) (?P<verb>begins|ends)")


class Unwritten(Exception):
    """A line that is not an event; ``str`` says what a line may be."""


@dataclass
class DayLine:
    """The chart so far; orders that are running, by drug."""

    knowledge: Knowledge
    resources: list[Resource] = field(default_factory=list)
    running: dict[str, list[Resource]] = field(default_factory=dict)  # several, if one was added to another
    states: dict[str, Resource] = field(default_factory=dict)

    def add(self, resource: Resource) -> Resource:
        kind = resource["resourceType"].lower()
        resource["id"] = f"{kind}-{sum(each['resourceType'].lower() == kind for each in self.resources) + 1}"
        self.resources.append(resource)
        return resource


def chart_of(person: dict[str, Any], events: Sequence[tuple[str, str]], knowledge: Knowledge) -> DayLine:
    """The chart of a patient with these ``events`` (date, words). Raises Unwritten."""
    line = DayLine(knowledge)
    line.resources.append(
        {"resourceType": "Patient", "id": PATIENT, "birthDate": person["born"], "gender": person["sex"]}
    )
    if person["itp"]:
        _state(line, events[0][0] if events else "2020-01-01", "itp")
    for when, words in events:
        if not any(write(line, when, words) for write in _WRITERS):
            raise Unwritten(f"'{words}' is no event; write for example 'sirolimus 2 mg daily', 'level 3.9', "
                            "'clarithromycin starts', 'platelet-transfusion', 'bleeding from nose begins'")  # fmt: skip
    for resource in line.resources:
        _validated(resource)
    return line


def question(line: DayLine, hook: str, drafts: Sequence[str], now: datetime, knowledge: Knowledge) -> Resource:
    """A Bundle for an opened chart, a CDS Hooks request for orders being written."""
    if hook == "patient-view":
        entries = [{"resource": resource} for resource in line.resources]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}
    written = DayLine(knowledge)
    for words in drafts:
        if not _order(written, now.date().isoformat(), words) and not _change(written, now.date().isoformat(), words):
            raise Unwritten(
                f"'{words}' is no order; write for example 'sirolimus 2 mg daily' or 'clarithromycin starts'"
            )
    for number, draft in enumerate(written.resources):
        draft |= {"id": f"draft-{number + 1}", "status": "draft"}
        _validated(draft)
    context: Resource = {"patientId": PATIENT, "userId": "Practitioner/p", "draftOrders": _bundle(written.resources)}
    if hook == "order-select":
        context["selections"] = [f"{draft['resourceType']}/{draft['id']}" for draft in written.resources]
    prefetch: Resource = {"patient": line.resources[0]}
    for key, kind in PREFETCH_TYPES.items():
        if key != "patient":
            prefetch[key] = _bundle([each for each in line.resources if each["resourceType"] == kind])
    return {"hook": hook, "hookInstance": "scenario", "context": context, "prefetch": prefetch}


def _bundle(resources: Sequence[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources]}


_VALID: set[str] = set()  # resources found valid: a day of a scenario contains all earlier days


def _validated(resource: Resource) -> None:
    """Validate against the R4B model, so that a mistake here is not taken for a mistake of the code that reads charts."""
    kind = resource["resourceType"]
    text = json.dumps(resource, default=str)
    if text in _VALID:
        return
    try:
        getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind).model_validate(resource)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise Unwritten(f"a line makes a {kind} that is not valid FHIR: {place}") from None
    _VALID.add(text)


# --- writers: one kind of line each; False when the line is not theirs ---------------------------------------


def _order(line: DayLine, when: str, words: str) -> bool:
    match = _ORDER.fullmatch(words)
    if match is None:
        return False
    amount = Decimal(match["mg"])
    concept = _drug(line.knowledge, match["drug"], amount, bool(match["solution"]))
    order = _request(line, when, concept, match["drug"], beside=bool(match["too"]))
    instruction = order["dosageInstruction"][0]
    instruction["timing"]["repeat"] |= _RHYTHMS[match["rhythm"]]
    instruction["doseAndRate"] = [
        {"doseQuantity": {"value": float(amount), "unit": "mg", "system": UCUM, "code": "mg"}}
    ]
    return True


def _change(line: DayLine, when: str, words: str) -> bool:
    match = _CHANGE.fullmatch(words)
    if match is None:
        return False
    drug, verb = match["drug"], match["verb"]
    concept = _drug(line.knowledge, drug, None, False)
    if verb == "starts":
        _request(line, when, concept, drug)
    elif verb == "stated":
        line.add({"resourceType": "MedicationStatement", "status": "active", "subject": _subject(),
                  "medicationCodeableConcept": concept, "effectiveDateTime": when})  # fmt: skip
    elif verb in _GIVEN:
        line.add({"resourceType": "MedicationAdministration", "status": _GIVEN[verb], "subject": _subject(),
                  "medicationCodeableConcept": concept, "effectiveDateTime": when})  # fmt: skip
    elif drug not in line.running:
        raise Unwritten(f"'{words}': it was not started")
    elif verb == "held":
        for order in line.running[drug]:
            order["status"] = "on-hold"
    else:
        for order in line.running.pop(drug):
            _end(order, when)
    return True


def _request(line: DayLine, when: str, concept: Resource, drug: str, beside: bool = False) -> Resource:
    """An order that replaces the running one or, with ``beside``, is added to it."""
    order = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "subject": _subject(),
        "authoredOn": when,
        "medicationCodeableConcept": concept,
        "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": when}}}}],
    }
    before = line.running.get(drug, [])
    line.running[drug] = [*(before if beside else ()), line.add(order)]
    for other in before if not beside else ():
        _end(other, when)
        order["priorPrescription"] = {"reference": f"MedicationRequest/{other['id']}"}
    return order


def _end(order: Resource, when: str) -> None:
    order["status"] = "stopped"
    order["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"] = when


def _result(line: DayLine, when: str, words: str) -> bool:
    match = _RESULT.fullmatch(words)
    if match is None:
        return False
    unit = match["unit"] or _UNITS.get(match["name"], "")
    if not unit:
        raise Unwritten(f"'{words}' has no unit; write for example 'hemoglobin 9 g/dL'")
    quantity: Resource = {"value": float(match["value"]), "unit": unit, "system": UCUM, "code": unit}
    if match["sign"]:
        quantity["comparator"] = match["sign"]
    value: Resource = {"valueQuantity": quantity}
    if match["limit"]:
        value["referenceRange"] = [
            {"high": {"value": float(match["limit"]), "unit": unit, "system": UCUM, "code": unit}}
        ]
    if match["method"]:
        value["method"] = {"text": match["method"]}
    return _observation(line, when, match["name"], value, match["status"] or "final")


def _answer(line: DayLine, when: str, words: str) -> bool:
    match = _ANSWER.fullmatch(words)
    if match is None:
        return False
    return _observation(line, when, match["name"], {"valueString": match["answer"]}, "final")


def _graded(line: DayLine, when: str, words: str) -> bool:
    match = _GRADED.fullmatch(words)
    if match is None:
        return False
    if not _observation(line, when, GRADE, {"valueInteger": int(match["grade"])}, "final"):
        raise Unwritten(f"'{words}': the value set 'bleeding-grade' has lost the code that it ships with")
    return True


def _observation(line: DayLine, when: str, name: str, value: Resource, status: str) -> bool:
    """A result with its LOINC code, or with a code of our own system if LOINC has none."""
    for system in (LOINC, *(each for each in line.knowledge.codes if each.startswith(OURS))):
        code = _code(line.knowledge, system, name, lambda each: each.name == name and not each.rejected)
        if code is not None:
            line.add({"resourceType": "Observation", "status": status, "code": {"coding": [{"system": system, "code": code}]},
                      "subject": _subject(), "effectiveDateTime": when} | value)  # fmt: skip
            return True
    return False


def _happened(line: DayLine, when: str, words: str) -> bool:
    found = _coded(line.knowledge, words, lambda each: each.valueset == "procedures" and each.name == words)
    if found is None:
        return False
    line.add({"resourceType": "Procedure", "status": "completed", "subject": _subject(), "code": found,
              "performedDateTime": when})  # fmt: skip
    return True


def _ordered(line: DayLine, when: str, words: str) -> bool:
    if not words.endswith(" ordered"):
        return False
    name = words.removesuffix(" ordered")
    codes = {test.means: test.loinc for test in line.knowledge.tests}
    watched = [test.loinc for test in line.knowledge.tests if test.baseline or test.every]
    level = _code(line.knowledge, LOINC, "level", lambda each: each.name == "level")
    wanted = [level] if name == "level" else watched if name == "tests" else [codes.get(name)]
    if None in wanted:
        return False
    for code in wanted:
        line.add({"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": _subject(),
                  "authoredOn": when, "code": {"coding": [{"system": LOINC, "code": code}]}})  # fmt: skip
    return True


def _begun(line: DayLine, when: str, words: str) -> bool:
    match = _STATE.fullmatch(words)
    if match is None:
        return False
    if match["verb"] == "begins":
        _state(line, when, match["name"])
        return True
    if match["name"] not in line.states:
        raise Unwritten(f"'{words}': it did not begin")
    state = line.states.pop(match["name"])
    state["abatementDateTime"] = when
    state["clinicalStatus"]["coding"][0]["code"] = "resolved"
    return True


def _state(line: DayLine, when: str, name: str) -> None:
    wanted = name.lower()
    found = _coded(line.knowledge, wanted, lambda each: True)
    if found is None:
        raise Unwritten(f"'{name}' is no condition that the rules read")
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    line.states[name] = line.add({"resourceType": "Condition", "subject": _subject(), "code": found, "onsetDateTime": when,
                                  "clinicalStatus": {"coding": [{"system": system, "code": "active"}]}})  # fmt: skip


def _allergic(line: DayLine, when: str, words: str) -> bool:
    if not words.startswith("allergy to "):
        return False
    name = words.removeprefix("allergy to ")
    code = _coded(line.knowledge, name, lambda each: each.valueset == "allergen" and each.display.lower() == name)
    line.add({"resourceType": "AllergyIntolerance", "patient": _subject(), "recordedDate": when,
              "code": code or _drug(line.knowledge, name, None, False)})  # fmt: skip
    return True


def _planned(line: DayLine, when: str, words: str) -> bool:
    match = _PLAN.fullmatch(words)
    if match is None:
        return False
    wanted = match["name"].lower()
    code = _coded(line.knowledge, wanted, lambda each: each.valueset == "surgery" and each.display.lower() == wanted)
    if code is None:
        raise Unwritten(f"'{match['name']}' is no operation that the rules read")
    day = date.fromisoformat(when[:10]) + timedelta(days=int(match["days"]))
    line.add({"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": _subject(),
              "authoredOn": when, "occurrenceDateTime": day.isoformat(), "code": code})  # fmt: skip
    return True


_WRITERS = (_order, _allergic, _planned, _change, _ordered, _happened, _begun, _graded, _answer, _result)


def _subject() -> Resource:
    return {"reference": f"Patient/{PATIENT}"}


_known: dict[tuple[str, str], dict[str, list[tuple[Concept, str]]]] = {}
_MOST_KNOWN = 64  # pairs of knowledge and code system whose codes are kept by word


def _by_word(knowledge: Knowledge, system: str) -> dict[str, list[tuple[Concept, str]]]:
    """The codes of a system by the name of their concept, and by its display in lower case."""
    known = _known.get((knowledge.hash, system))
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[knowledge.hash, system] = {}
        for code, meant in knowledge.codes.get(system, {}).items():
            for concept in meant:
                for word in {concept.name, concept.display.lower()}:
                    known.setdefault(word, []).append((concept, code))
    return known


def _code(knowledge: Knowledge, system: str, word: str, wanted: Callable[[Concept], bool]) -> str | None:
    """The first code of a system with that name or display whose concept is ``wanted``."""
    found = _by_word(knowledge, system).get(word, ())
    return next((code for concept, code in found if wanted(concept)), None)


def _coded(knowledge: Knowledge, word: str, wanted: Callable[[Concept], bool]) -> Resource | None:
    for system in ("http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"):
        code = _code(knowledge, system, word, wanted)
        if code is not None:
            return {"coding": [{"system": system, "code": code}]}
    return None


def _drug(knowledge: Knowledge, name: str, amount: Decimal | None, solution: bool) -> Resource:
    """The drug by its code if it has one: sirolimus as a product whose strength divides the dose, other drugs as the ingredient."""
    if name == "sirolimus":
        fits = next((code for mg, code in _TABLETS if amount is None or amount % Decimal(mg) == 0), _TABLETS[-1][1])
        return {"coding": [{"system": RXNORM, "code": _SOLUTION if solution else fits}]}
    code = _code(knowledge, RXNORM, name, lambda each: each.name == name and not each.strength and each.oral)
    if code is None and name not in knowledge.names:
        raise Unwritten(f"'{name}' is no drug that the rules know")
    return {"coding": [{"system": RXNORM, "code": code, "display": name}]} if code else {"text": name}
