"""Every rule against the cases in its own file, and the cases against mutants of the rule."""

from __future__ import annotations

import pytest

from cds.authoring.cases import Case, cases_of, check_both_ways, run_case
from cds.authoring.mutants import survivors
from cds.engine import Engine
from cds.knowledge.compiled import Knowledge
from cds.knowledge.read import Folder, RuleFile, read_folder
from tests.conftest import RULES

FOLDER = read_folder(RULES)

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
    "falling-platelets-on-sirolimus", "pregnancy", "not-assessed",
}  # fmt: skip


@pytest.mark.parametrize("case", list(cases_of(FOLDER)), ids=lambda case: case.name)
def test_case(case: Case, engine: Engine) -> None:
    fault = run_case(case, engine)
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


def test_every_code_has_the_form_of_its_system(knowledge: Knowledge) -> None:
    """LOINC and SNOMED carry check digits; a mistyped code is found here."""
    for system, code in ((system, code) for system, of_system in knowledge.codes.items() for code in of_system):
        if system == "http://loinc.org":
            number, _, check = code.partition("-")
            assert _luhn(number) == int(check), code
        elif system == "http://snomed.info/sct":
            assert _verhoeff(code), code
        elif system.endswith("rxnorm"):
            assert code.isdigit(), code


def _luhn(number: str) -> int:
    doubled = [int(d) * 2 if i % 2 == 0 else int(d) for i, d in enumerate(reversed(number))]
    return (10 - sum(d // 10 + d % 10 for d in doubled) % 10) % 10


def _verhoeff(code: str) -> bool:
    """The check of SNOMED CT identifiers, in the dihedral group of ten elements."""

    def times(a: int, b: int) -> int:
        if a < 5:
            return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
        return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5

    permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check = 0
    for position, digit in enumerate(reversed(code)):
        value = int(digit)
        for _ in range(position % 8):
            value = permutation[value]
        check = times(check, value)
    return check == 0
