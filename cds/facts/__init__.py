"""What is true now: every fact that a rule may name, one function each, declared where it is computed.

Facts compute, rules compare. Everything with a date or an arithmetic step is decided here, with the
constants cited in ``rules/definitions.yaml`` and the protocol; nothing here knows a protocol's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import ModuleType
from typing import Any, TypeVar

import msgspec

from cds.chart.model import Chart
from cds.compiled.hooks import Hook
from cds.compiled.knowledge import Knowledge
from cds.course import bleeding, counts, levels
from cds.course import modulators as shared_modulators
from cds.course import response as shared_response
from cds.course import steroids as shared_steroids
from cds.course.doors import DOORS, GIVENS, INQUIRIES, Ground, present, source_of
from cds.course.episodes import Episode, Renewals, episodes_of
from cds.course.patient import Joining, Patient, read_patient
from cds.facts import (
    allergies,
    conditions,
    diagnosis,
    dose,
    draws,
    gaps,
    infection,
    interactions,
    kidney,
    labs,
    landmark,
    level_history,
    limits,
    low_counts,
    lungs,
    modulators,
    monitoring,
    newest_level,
    ordering,
    platelets,
    pregnancy,
    proposal,
    question,
    response,
    restart,
    size,
    step_down,
    steroids,
    surgery,
    trough,
    unreadable,
    withhold,
)
from cds.facts.needs import needs_of, rests_of
from cds.plan.case import Case, Facts
from cds.plan.declare import Fact
from cds.plan.plan import Plan, group_door

T = TypeVar("T")
_SHARED = (bleeding, counts, levels, shared_modulators, shared_response, shared_steroids)
_OF_THE_QUESTION = (question, gaps, unreadable)
_BESIDE = (size, platelets, pregnancy, conditions, lungs, allergies, labs, kidney, interactions, modulators, surgery)
"""Modules about what is dangerous together with sirolimus: evaluated for an order of any drug, if sirolimus is taken or ordered."""
_SUBJECTS = (
    *_OF_THE_QUESTION,
    diagnosis,
    size,
    dose,
    limits,
    ordering,
    proposal,
    step_down,
    trough,
    newest_level,
    draws,
    level_history,
    response,
    landmark,
    platelets,
    low_counts,
    steroids,
    interactions,
    modulators,
    labs,
    kidney,
    conditions,
    lungs,
    infection,
    pregnancy,
    allergies,
    surgery,
    withhold,
    restart,
    monitoring,
)
"""Modules in the order in which their facts are listed. Those in neither ``_BESIDE`` nor ``_OF_THE_QUESTION`` are evaluated only if
the chart is opened, or sirolimus is among the draft orders."""


def _gate(subject: ModuleType) -> str:
    if subject in _OF_THE_QUESTION:
        return ""
    return "relevant" if subject in _BESIDE else "asks_about_sirolimus"


PLAN = Plan(dict.fromkeys(_SHARED, "") | {subject: _gate(subject) for subject in _SUBJECTS}, DOORS, GIVENS, INQUIRIES)


class Situation(msgspec.Struct, frozen=True):
    """One request about one patient, and all its facts. It is never modified."""

    chart: Chart
    knowledge: Knowledge
    patient: Patient
    facts: Facts
    case: Case
    renewals: Renewals

    def of(self, part: Fact[..., T]) -> T:
        """The value of a part that several facts share, such as the judged levels, the counts or the response."""
        return self.case.of(part)

    def episodes(self, *valuesets: str) -> list[Episode]:
        """Episodes of the drugs in these value sets, as they were taken."""
        uses = [use for use in self.chart.drugs if use.valueset in valuesets]
        return episodes_of(uses, self.renewals, self.patient.now)

    def days(self, name: str) -> int:
        """A definition that counts days (or years)."""
        return int(self.knowledge.definitions[name])


def read_facts(chart: Chart, knowledge: Knowledge, hook: Hook, now: datetime) -> Situation:
    """Every fact of a chart at ``now``.

    If sirolimus is not taken, ordered, just stopped or measured, only the facts about the request itself have an answer.
    """
    ground = _ground(knowledge)
    patient = read_patient(chart, ground.joining, hook, now)
    source = source_of(chart, knowledge, patient, ground.renewals, ground.rests.get(hook, ()))
    case = Case(PLAN, source, ground.constants, present(source))
    return Situation(chart, knowledge, patient, Facts(case, PLAN.told, ground.compared), case, ground.renewals)


class _Ground(msgspec.Struct, frozen=True):
    """The values of the doors that read only the knowledge, read once; and the facts that its rules compare."""

    knowledge: Knowledge
    joining: Joining
    renewals: Renewals
    compared: tuple[str, ...]
    rests: Mapping[str, tuple[str, ...]]
    constants: dict[str, Any]


_READ: dict[int, _Ground] = {}
_MOST = 8  # rule sets, or protocols, between which one process may alternate


def _ground(knowledge: Knowledge) -> _Ground:
    known = _READ.get(id(knowledge))
    if known is None:
        if len(_READ) >= _MOST:
            _READ.clear()
        ground = Ground(knowledge, needs_of(PLAN, knowledge))
        constants = {name: PLAN.doors[name].open(ground) for name in PLAN.constants}
        joining, renewals = (group_door(group, DOORS).open("")(ground) for group in (Joining, Renewals))
        known = _READ[id(knowledge)] = _Ground(
            knowledge, joining, renewals, _compared(knowledge), rests_of(PLAN, knowledge), constants
        )
    return known


def _compared(knowledge: Knowledge) -> tuple[str, ...]:
    """The facts that the rules name in their conditions."""
    tests = (test for rule in knowledge.rules for each in rule.variants for branch in each.branches for test in branch)
    named = {test.fact for test in tests}
    return tuple(name for name in PLAN.told if name in named)


__all__ = ["PLAN", "Facts", "Situation", "read_facts"]
