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

pytestmark = pytest.mark.untraced

FOLDER = read_folder(RULES)
ENGINES = Engines(RULES)


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


def test_no_rule_claims_a_signature_it_does_not_have(folder: Folder) -> None:
    assert {file.rule.status for file in folder.files} == {"draft"}
