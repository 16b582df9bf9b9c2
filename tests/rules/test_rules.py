"""Every rule against the cases in its own file, and the cases against mutants of the rule."""

from __future__ import annotations

import pytest

from cds.authoring.cases import Case, cases_of, check_both_ways, run_case
from cds.authoring.check import Engines
from cds.authoring.sensitivity import survivors
from cds.compiled.knowledge import Knowledge
from cds.knowledge.files import Folder, RuleFile
from cds.knowledge.read import read_folder
from tests.conftest import RULES

FOLDER = read_folder(RULES)
ENGINES = Engines(RULES)

IDS = {
    "dose-above-window", "dose-below-window", "dose-far-above-window", "dose-above-daily-maximum", "child-dose-by-size",
    "trough-low", "trough-low-in-response", "trough-high", "trough-critical", "trough-not-usable",
    "response-complete", "response-partial", "response-none", "response-none-unexposed", "response-not-evaluable", "response-lost",
    "strong-inhibitor", "strong-inducer", "moderate-modulator", "interacting-drug-stopped", "ciclosporin",
    "duplicate-mtor-or-calcineurin-inhibitor", "ace-inhibitor", "live-vaccine", "bleeding-risk-drug", "food-and-herbal",
    "bleeding-with-low-platelets", "low-platelets-adult", "low-platelets-child", "platelet-count-not-usable",
    "steroid-dependence", "neutropenia", "anaemia", "hyperlipidaemia", "proteinuria", "renal-decline", "liver-enzymes",
    "hyperglycaemia", "dose-change-too-soon", "duplicate-orders", "product-switch", "step-down-to-maintenance", "not-second-line",
    "outside-protocol-population", "trough-overdue", "exposure-shift", "assay-changed", "pneumonitis", "serious-infection", "breastfeeding", "contraception", "hepatic-impairment",
    "falling-platelets-on-sirolimus", "pregnancy", "not-assessed", "allergy", "surgery-planned", "hepatitis-b",
    "baseline-workup", "monitoring-overdue", "pjp-prophylaxis", "malignancy", "thrombosis", "microangiopathy", "stomatitis", "taper-in-response",
}  # fmt: skip


@pytest.mark.parametrize("case", list(cases_of(FOLDER)), ids=lambda case: case.name)
def test_case(case: Case) -> None:
    fault = run_case(case, ENGINES.of(case.shape.protocol, case.fault))
    assert fault is None, str(fault)


@pytest.mark.parametrize("file", FOLDER.files, ids=lambda file: file.rule.id)
def test_every_change_of_a_rule_is_noticed_by_a_case(file: RuleFile, knowledge: Knowledge) -> None:
    made, alive = survivors(file, knowledge)
    assert made > 0
    assert [str(fault) for fault in alive] == []


def test_the_shipped_rules_are_sound() -> None:
    assert [str(fault) for fault in FOLDER.faults] == []
    assert [str(fault) for fault in check_both_ways(FOLDER)] == []


def test_the_rule_ids_are_the_ones_that_outside_checks_use(folder: Folder) -> None:
    assert {file.rule.id for file in folder.files} == IDS


def test_no_rule_claims_a_signature_it_does_not_have(folder: Folder) -> None:
    assert {file.rule.status for file in folder.files} == {"draft"}
