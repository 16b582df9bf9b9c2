"""Conditions and procedures, as far as the rules need them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cds.chart.codes import CONDITION_SYSTEMS, SNOMED, all_meant, canonical, texts_of
from cds.chart.model import DrugUse, Event, Problem
from cds.chart.operations import SURGERY, done
from cds.chart.problem_names import OTHER_INDICATION, TRANSPLANT, named_problems
from cds.chart.reader import Reader, first_moment, status_word
from cds.chart.times import Moment, parse_moment
from cds.chart.wire import CodeableConcept, Coding, Extension, Resource, later
from cds.compiled.knowledge import Concept, Knowledge
from cds.compiled.systems import ICD_10_GM

_ACTIVE = ("active", "recurrence", "relapse")
_STATUSES = ("", *_ACTIVE, "inactive", "remission", "resolved")
_CONDITIONS = (
    "itp", "secondary-itp", "bleeding", "pregnancy", "angioedema", "harm", "hepatitis-b", "malignancy", "thrombosis",
    OTHER_INDICATION, "procedures",
)  # fmt: skip
_NOT_SO = ("refuted", "entered-in-error")
_SEVERITIES = {"255604002": "mild", "6736007": "moderate", "24484000": "severe"}
_CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
_SUSPECTED = ("unconfirmed", "provisional", "differential")
_CERTAINTIES = {"A": "refuted", "Z": "resolved", "V": "suspected"}
"""German codes for the certainty of a diagnosis: excluded, state after one that is over, and suspected."""
_NOT_ON_SUSPICION = ("pregnancy-ended", "splenectomy", "platelet-transfusion")
"""Concepts that end a caution, or that are either done or not done: a suspicion of one does not count."""


def read_condition(reader: Reader, resource: Resource) -> None:
    """Read a diagnosis, a bleed or a pregnancy, unless it is refuted; resolved ones are kept, with their end.

    Without a code that says what it is, a problem is recognised by its name and marked so. A suspected one counts and is marked.
    """
    meant, name_says = _meant(reader, resource.code)
    if not meant or not reader.is_ours(resource, meant[0].valueset):
        return
    certainty = _certainty(resource.code)
    verification = status_word(resource.verificationStatus)
    if verification in _NOT_SO or certainty == "refuted":
        word = verification if verification in _NOT_SO else certainty
        reader.left_out(resource, f"it is {word}", meant[0].valueset, "verificationStatus")
        return
    suspected = verification in _SUSPECTED or certainty == "suspected" or (name_says.given and name_says.suspected)
    marks = [word for word, holds in (("suspected", suspected), ("by its name", name_says.given)) if holds]
    mild = name_says.given and name_says.mild
    for concept in meant:
        if not suspected or concept.name not in _NOT_ON_SUSPICION:
            _problem(reader, resource, concept, certainty == "resolved", marks, mild)


def _problem(reader: Reader, resource: Resource, concept: Concept, over: bool, marks: list[str], mild: bool) -> None:
    period = resource.onsetPeriod
    said = first_moment(resource.onsetDateTime, period.start if period else None)
    onset = said or parse_moment(resource.recordedDate)
    if not reader.exists(resource, onset, concept.valueset, "onset[x]"):
        return
    end = first_moment(resource.abatementDateTime, period.end if period else None)
    clinical = status_word(resource.clinicalStatus).replace("unknown", "")  # which says no more than no status
    if clinical not in _STATUSES:
        reader.unread(resource, "its clinical status is not understood", concept.valueset, "clinicalStatus")
        return
    active = not over and (clinical in _ACTIVE or (not clinical and resource.abatementDateTime is None))
    if end is not None and end.is_after(reader.now):  # an end in the future has not happened
        active, end = active or reader.is_replay, None
    if concept.valueset == "bleeding" and active and onset is None:
        reader.unread(resource, "its date cannot be read", concept.valueset, "onset[x]")
    if concept.valueset == "procedures":  # an operation on the problem list, as the state that it left
        if onset is not None:
            reader.chart.events.append(Event(resource.reference, concept.name, onset))
        return
    display = f"{concept.display} ({', '.join(marks)})" if marks else concept.display
    severity = _severity(resource.severity) or ("mild" if mild else "")
    problem = Problem(
        resource.reference, concept.name, active, onset, end, display, said is None, clinical, concept.also, severity
    )
    reader.chart.problems.append(problem)


def _severity(concept: CodeableConcept | None) -> str:
    """How severe a condition is, where HL7's value set for it says so."""
    coded = (coding.code or "" for coding in (concept.coding if concept is not None else None) or ())
    return next((_SEVERITIES[code] for code in coded if code in _SEVERITIES), "")


class _Named(NamedTuple):
    """What the name of a condition says, where no code does."""

    given: bool = False
    suspected: bool = False
    mild: bool = False


def _meant(reader: Reader, code: CodeableConcept | None) -> tuple[list[Concept], _Named]:
    """The meanings of a condition, each once; and what else its name says, if only the name says what it is."""
    if code is None:
        return [], _Named()
    coded = [each for each in all_meant(code, reader.knowledge) if each.valueset in _CONDITIONS and not each.rejected]
    if coded or any(_decides(coding, reader.knowledge) for coding in code.coding or ()):
        return _once(coded), _Named()
    called = [each for text in texts_of(code) for each in named_problems(text, reader.knowledge)]
    says = _Named(bool(called), all(each.suspected for each in called), all(each.mild for each in called))
    return _once([each.concept for each in called]), says


def _decides(coding: Coding, knowledge: Knowledge) -> bool:
    """Whether a code says what a condition is even if the rules do not need it. SNOMED CT has too many descendants to list: for
    its codes the name is used, except for those that are known to mean something else."""
    system = canonical(coding.system or "")
    if not coding.code or system not in CONDITION_SYSTEMS:
        return False
    return system != SNOMED or coding.code in knowledge.near


def _once(meant: list[Concept]) -> list[Concept]:
    return list({(each.valueset, each.name): each for each in reversed(meant)}.values())[::-1]


def _certainty(code: CodeableConcept | None) -> str:
    """The certainty that a German ICD-10 code states: refuted, resolved, suspected, or empty for anything else."""
    for coding in (code.coding if code is not None else None) or ():
        if canonical(coding.system or "") == ICD_10_GM:
            for said in _certain(coding):
                return _CERTAINTIES.get(said, "")
    return ""


def _certain(coding: Coding) -> Iterator[str]:
    for extension in later(coding.extension, Extension):
        if extension.url == _CERTAINTY and extension.valueCoding is not None:
            yield extension.valueCoding.code or ""


def read_procedure(reader: Reader, resource: Resource) -> None:
    """Read a transfusion, an operation or an infusion: what a platelet count means changes, or wounds must heal."""
    concept = done(resource.code, reader.knowledge)
    if concept is None or not reader.is_ours(resource, concept.valueset):
        return
    if not reader.counts(resource, ("completed", "in-progress"), concept.valueset):
        return
    period = resource.performedPeriod
    moment = parse_moment(resource.performedDateTime or (period.end or period.start if period else None))
    if moment is None:
        reader.unread(resource, "its date cannot be read", concept.valueset, "performed[x]")
    elif reader.exists(resource, moment, concept.valueset, "performed[x]"):
        _note(reader, resource, concept, moment)


def _note(reader: Reader, resource: Resource, concept: Concept, moment: Moment) -> None:
    """A drug that was infused is one that was given; anything else is an event, and a transplant an operation, too."""
    if concept.name == TRANSPLANT:
        reader.chart.events += [Event(resource.reference, name, moment) for name in (TRANSPLANT, SURGERY)]
        return
    if concept.valueset in ("procedures", SURGERY):
        name = concept.name if concept.valueset == "procedures" else SURGERY
        reader.chart.events.append(Event(resource.reference, name, moment))
        return
    reader.chart.drugs.append(
        DrugUse(
            resource.reference, concept.valueset, concept.name, "completed", False, moment, moment, given=True, washout=concept.washout,
        )
    )  # fmt: skip
