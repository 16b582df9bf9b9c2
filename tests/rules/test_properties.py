"""P2 to P5: each is broken on purpose by a rule, by an invariant of the facts and by the prover, and each time somebody says so.

P1 has tests of its own (test_never_both_ways.py). The second prover is tests/prover.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from cds.authoring.proofs import all_properties, both_ways, classes, latent, unreadable
from cds.authoring.proofs.found import Property
from cds.authoring.proofs.regions import Space
from cds.cli.main import main
from cds.compiled.knowledge import Condition, Knowledge, Rule, Variant
from cds.knowledge.load import load
from tests.conftest import RULES
from tests.prover import second

pytestmark = pytest.mark.slow

SHIPPED = load()


def broken(knowledge: Knowledge) -> dict[str, list[str]]:
    """The properties that do not hold, with what is said of each counterexample."""
    found = all_properties([knowledge])
    return {each.id: [str(one) for one in each.counterexamples] for each in found if not each.holds}


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """A copy of the rules in which one text stands in place of another."""

    def change(name: str, old: str, new: str) -> Path:
        folder = tmp_path / "rules"
        shutil.copytree(RULES, folder)
        [file] = folder.rglob(name)
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old)
        file.write_text(text.replace(old, new), encoding="utf-8")
        return folder

    return change


# name of the file, what stands there, what is to stand there, the property, and what it says
BY_A_RULE = [
    pytest.param(
        "trough-high.yaml", "  - trough > {trough_high} ng/mL\n",
        "  - trough > {trough_high} ng/mL\n  - trough <= {trough_critical} ng/mL\n",
        "P2", "trough-high is shown with a level of 20 ng/mL (usable), and not with a level of 21 ng/mL (usable)",
        id="P2: a high level is told up to the critical one",
    ),
    pytest.param(
        "trough-low.yaml", "  - trough < {trough_low} ng/mL\n", "  - trough <= {trough_low} ng/mL\n",
        "P3", "no card says that a level of 2.5 ng/mL (usable) is low", id="P3: a level in the target is called low",
    ),
    pytest.param(
        "trough-high.yaml", "yields_to: [trough-critical]\n", "",
        "P3", "trough-critical and trough-high both name", id="P3: a critical level has two names",
    ),
    pytest.param(
        "tests.yaml", "neutrophils:\n  means: neutrophil count\n  speaks: lab_recent\n",
        "neutrophils:\n  means: neutrophil count\n",
        "P4", "neutropenia is silent when neutrophils cannot be read; no gap names neutrophils",
        id="P4: neutrophils without a unit are silence",
    ),
    pytest.param(
        "not-assessed.yaml", "hooks: [patient-view, order-select, order-sign]", "hooks: [order-select, order-sign]",
        "P4", "cannot be read, and no rule tells of gaps", id="P4: nothing tells of gaps on an opened chart",
    ),
    pytest.param(
        "dose-far-above-window.yaml", "yields_to: [dose-above-daily-maximum]", "yields_to: [outside-protocol-population]",
        "P5", "dose-far-above-window gives way to outside-protocol-population, and no card is critical",
        id="P5: a critical dose gives way to a remark",
    ),
]  # fmt: skip


@pytest.mark.untraced
@pytest.mark.parametrize(("name", "old", "new", "which", "says"), BY_A_RULE)
def test_a_rule_that_breaks_it_is_found_by_both_provers(
    changed: Callable[[str, str, str], Path], name: str, old: str, new: str, which: str, says: str
) -> None:
    folder = changed(name, old, new)
    knowledge = load(folder, cached=False)
    found = broken(knowledge)
    assert any(says in each for each in found[which]), found
    assert {each.property for each in second.verdicts(knowledge) if each.broken} == found.keys()


def test_check_fails_with_the_place_and_a_scenario(changed: Callable[[str, str, str], Path], tmp_path: Path) -> None:
    folder = changed("trough-low.yaml", "  - trough < {trough_low} ng/mL\n", "  - trough <= {trough_low} ng/mL\n")
    result = CliRunner().invoke(main, ["check", "--format", "json", str(folder)])
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [each["id"] for each in report["properties"] if not each["holds"]] == ["P3"]
    assert [each["id"] for each in report["properties"]] == ["P1", "P2", "P3", "P4", "P5"]
    fault = next(each for each in report["faults"] if each["message"].startswith("P3: "))
    scenario = tmp_path / "found.yaml"
    scenario.write_text(fault["message"].partition("\n")[2], encoding="utf-8")
    ran = CliRunner().invoke(main, ["scenario", str(scenario), "--rules", str(folder)])
    assert ran.exit_code in (0, 1), ran.output


def test_a_rule_of_a_site_is_proved_with_the_others(tmp_path: Path) -> None:
    overlay = tmp_path / "site"
    (overlay / "trough").mkdir(parents=True)
    text = (RULES / "trough" / "trough-high.yaml").read_text(encoding="utf-8")
    ours = text.replace(
        "  - trough > {trough_high} ng/mL\n",
        "  - trough > {trough_high} ng/mL\n  - trough <= {trough_critical} ng/mL\n",
    )
    (overlay / "trough" / "trough-high.yaml").write_text(ours, encoding="utf-8")
    assert "P2" in broken(load(overlays=[overlay], cached=False))


# --- the facts do not keep what the proofs take for granted


def test_offers_that_nothing_withholds_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(both_ways, "OFFERS", {})
    assert any("offers more while" in each for each in broken(SHIPPED)["P1"])


def test_without_the_flags_beside_a_level_it_may_have_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classes, "FLAGS", ())
    assert any("no card says" in each for each in broken(SHIPPED)["P3"])


def test_a_level_that_drove_its_facts_backwards_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        latent.COURSES, "usable", lambda level, _: {"trough": max(30 - level, Decimal(0)), "trough_basis": "usable"}
    )
    assert any("trough-high is shown" in each for each in broken(SHIPPED)["P2"])


def test_results_that_nothing_names_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unreadable, "watched", lambda plan, knowledge: frozenset())
    said = " ".join(broken(SHIPPED)["P4"])
    assert all(
        rule in said for rule in ("trough-critical", "neutropenia", "bleeding-with-low-platelets", "proteinuria")
    )


# --- the prover itself is broken: it calls what is unsound sound, and the second one does not


def unsound(which: str) -> Knowledge:
    """The shipped rules with one fault that breaks a property."""
    rules = {rule.id: rule for rule in SHIPPED.rules}
    if which == "P1":
        return replace(SHIPPED, hash="P1", withheld=())
    if which == "P2":
        rules["trough-high"] = _up_to(rules["trough-high"], Decimal(18))
    elif which in ("P3", "P4"):
        del rules[{"P3": "trough-low", "P4": "not-assessed"}[which]]
    else:
        rules["trough-critical"] = replace(rules["trough-critical"], yields_to=("assay-changed",))
    return replace(SHIPPED, hash=which, rules=tuple(rules.values()))


def _up_to(rule: Rule, limit: Decimal) -> Rule:
    most = Condition("trough", "<=", number=limit)
    return replace(rule, variants=tuple(_narrowed(variant, most) for variant in rule.variants))


def _narrowed(variant: Variant, test: Condition) -> Variant:
    return replace(variant, branches=tuple((*branch, test) for branch in variant.branches))


@pytest.mark.untraced
@pytest.mark.parametrize("which", ["P1", "P2", "P3", "P4", "P5"])
def test_a_prover_that_covers_everything_disagrees_with_the_second(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    knowledge = unsound(which)
    assert which in broken(knowledge)
    monkeypatch.setattr(Space, "covered", lambda self, box, others: True)
    monkeypatch.setattr(Space, "without", lambda self, region, other: [])
    assert which not in broken(knowledge)
    assert which in {each.property for each in second.verdicts(knowledge) if each.broken}


def test_without_a_target_there_is_nothing_to_decide_of_levels() -> None:
    """A part of a rules folder may be checked by itself."""
    numbers = {name: value for name, value in SHIPPED.definitions.items() if not name.startswith("trough_")}
    part = replace(SHIPPED, hash="part", rules=(), definitions=numbers, protocol=replace(SHIPPED.protocol, numbers={}))
    found = all_properties([part])
    assert [str(each).partition(":")[0] for each in found[1:3]] == [
        f"{name} has nothing to decide here" for name in ("P2", "P3")
    ]


def test_a_property_says_what_it_is() -> None:
    found: list[Property] = all_properties([SHIPPED])
    assert [each.id for each in found] == ["P1", "P2", "P3", "P4", "P5"]
    assert all(each.says and each.tried > 20 and each.of in str(each) for each in found)
