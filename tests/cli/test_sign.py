"""``sirolimus-cds sign``: a rule is active while a signature stands for what it means, and a draft again when that changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds.authoring import check
from cds.authoring.check import Report
from cds.cli.main import main
from cds.knowledge.load import load
from tests.conftest import ROOT, RULES

pytestmark = pytest.mark.slow

LOW_LEVEL = str(ROOT / "fhir_examples" / "below-quantitation" / "bundle.json")
WHO = ("--by", "A reviewer of the tests", "--role", "haematologist", "--on", "2026-01-31")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A rules folder of one's own, in a folder with a space in its name."""
    return Path(shutil.copytree(RULES, tmp_path / "our own" / "rules"))


@pytest.fixture(autouse=True)
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `check` finds is tested elsewhere; here it finds nothing, but where a test undoes this."""
    monkeypatch.setattr(check, "check_folder", lambda *_: Report())


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def status(rules: Path, rule: str = "trough-low", protocol: str = "") -> str:
    return load(rules, protocol).rule(rule).status


def sign(rules: Path, *names: str) -> None:
    signed = run("sign", "--rules", rules, *WHO, *names)
    assert signed.exit_code == 0, signed.output


def card(rules: Path) -> str:
    judged = run("evaluate", "--rules", rules, "--at", "latest", "--format", "json", LOW_LEVEL)
    (only,) = json.loads(judged.stdout)["cards"]
    return str(only["detail"])


def test_the_shipped_rules_are_all_drafts() -> None:
    assert {rule.status for rule in load().rules} == {"draft"}


def test_a_signature_makes_the_rule_active_and_its_card_say_who(rules: Path) -> None:
    assert card(rules).endswith("Draft: not clinically signed off.")
    sign(rules, "trough-low")
    assert status(rules) == "active" and status(rules, "trough-high") == "draft"
    assert card(rules).endswith("Signed by A reviewer of the tests, haematologist, 2026-01-31.")


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("trough/trough-low.yaml", "trough < {trough_low} ng/mL", "trough <= {trough_low} ng/mL"),
        ("trough/trough-low.yaml", "consider adherence", "consider the taking"),
        ("trough/trough-low.yaml", "priority: 31", "priority: 32"),
        (
            "trough/trough-low.yaml",
            "hooks: [patient-view, order-select, order-sign]",
            "hooks: [order-sign, order-select, patient-view]",
        ),
        ("trough/trough-low.yaml", "states: A new dose in proportion", "states: Another dose in proportion"),
        ("protocols/seed-2024.yaml", "  trough_low:\n    value: 5", "  trough_low:\n    value: 6"),
        ("definitions.yaml", "usable_from:\n  value: 7", "usable_from:\n  value: 8"),
        ("definitions.yaml", "complete_count:\n  value: 100", "complete_count:\n  value: 90"),
        ("valuesets/sirolimus.yaml", "rapamune", "raparune"),
        ("protocols/seed-2024.yaml", "title: Feng 2024", "title: Approved by everybody, and Feng 2024"),
        (
            "sources.yaml",
            "https://www.pfizermedicalinformation.com/en-us/rapamune/dosage-admin",
            "https://example.org/a-blog",
        ),
        ("definitions.yaml", "recheck_from:\n  value: 3", "recheck_from:\n  value: 30"),
        ("valuesets/harm.yaml", "unlike: [asepsis]", "unlike: [asepses]"),
        ("valuesets/harm.yaml", "endings: [sepsis]", "endings: [sepses]"),
        (
            "valuesets/malignancy.yaml",
            '{system: snomed, code: "429087003", name: malignancy}',
            '{system: snomed, code: "429087004", name: malignancy}',
        ),
    ],
)
def test_a_change_of_what_it_means_makes_it_a_draft_again(rules: Path, file: str, old: str, new: str) -> None:
    sign(rules, "trough-low")
    edit(rules / file, old, new)
    assert status(rules) == "draft"


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("trough/trough-low.yaml", "id: trough-low", "# a remark\nid: trough-low"),
        ("trough/trough-low.yaml", "priority: 31", "priority:   31   # as it was"),
        ("trough/trough-low.yaml", "  - case: 4.9 ng/mL", "  - case: A little below"),
        ("trough/trough-high.yaml", "priority: 23", "priority: 33"),
        ("definitions.yaml", "low_count_adult:\n  value: 20", "low_count_adult:\n  value: 25"),
        ("valuesets/bleeding-risk-drug.yaml", "  - name: ibuprofen", "  - name: ibuprofène"),
    ],
)
def test_a_change_of_anything_else_leaves_it_active(rules: Path, file: str, old: str, new: str) -> None:
    sign(rules, "trough-low")
    edit(rules / file, old, new)
    assert status(rules) == "active"


def test_a_signature_holds_under_its_protocol_alone(rules: Path) -> None:
    sign(rules, "trough-low")
    assert status(rules, protocol="label-lam") == "draft"
    assert run("sign", "--rules", rules, "--protocol", "label-lam", *WHO, "trough-low").exit_code == 0
    assert status(rules, protocol="label-lam") == status(rules) == "active"


def test_a_newer_signature_of_one_person_takes_the_place_of_the_older(rules: Path) -> None:
    sign(rules, "trough-low")
    edit(rules / "trough" / "trough-low.yaml", "priority: 31", "priority: 32")
    sign(rules, "trough-low")
    assert (rules / "reviews.yaml").read_text(encoding="utf-8").count("meaning: ") == 1
    other = run("sign", "--rules", rules, "--by", "Another", "--role", "pharmacist", "--on", "2026-02-01", "trough-low")
    assert other.exit_code == 0
    assert len(load(rules).rule("trough-low").signed) == 2


def test_a_site_signs_in_its_own_folder(rules: Path, tmp_path: Path) -> None:
    site = tmp_path / "ours"
    site.mkdir()
    assert run("sign", "--rules", rules, "--overlay", site, *WHO, "trough-low").exit_code == 0
    assert not (rules / "reviews.yaml").exists()
    assert load(rules, "", [site]).rule("trough-low").status == "active" and status(rules) == "draft"
    assert load(rules, "", [site]).changes == ()


def test_comments_in_the_file_of_signatures_stay(rules: Path) -> None:
    sign(rules, "trough-low")
    edit(rules / "reviews.yaml", "trough-low:\n", "# seen by the whole team\ntrough-low:\n")
    sign(rules, "trough-high")
    text = (rules / "reviews.yaml").read_text(encoding="utf-8")
    assert "# seen by the whole team\ntrough-low:" in text and text.count("# Who signed which rule") == 1


def test_all_that_can_be_signed(rules: Path) -> None:
    signed = run("sign", "--rules", rules, *WHO, "--all")
    assert signed.exit_code == 0
    assert (
        "left out, for they rest on recalled knowledge: dose-above-daily-maximum, hepatic-impairment" in signed.stderr
    )
    states = {rule.id: rule.status for rule in load(rules).rules}
    recalled = {rule.id for rule in load(rules).rules if any(c.basis == "RECALLED" for c in rule.citations)}
    assert {rule for rule, state in states.items() if state == "draft"} == recalled
    assert run("sign", "--rules", rules, *WHO, "--all").exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("no-such-rule",), "there is no rule 'no-such-rule'"),
        (("hepatitis-b",), "hepatitis-b rests on recalled knowledge (infection-convention, label-sections): find the source,"),
        ((), "name the rules to sign, or say --all"),
        (("trough-low", "--on", "1999-01-31"), "--on: '1999-01-31' is not a date; write 2026-01-31"),
        (("trough-low", "--on", "yesterday"), "--on: 'yesterday' is not a date; write 2026-01-31"),
        (("trough-low", "--by", " "), "--by: must say who signs, and as what"),
        (("trough-low", "--role", "a\n# b"), "--role: may hold no line break and none of < > | * _ ` [ ]"),
        (("trough-low", "--by", "Dr M\udcfcller"), "--by: is not UTF-8 text"),
        (("trough-low", "--protocol", "nobodys"), "there is no protocol 'nobodys'"),
    ],
)  # fmt: skip
def test_what_cannot_be_signed_is_said(rules: Path, words: tuple[str, ...], said: str) -> None:
    refused = run("sign", "--rules", rules, *WHO, *words)
    assert refused.exit_code == 2 and said in refused.stderr
    assert not (rules / "reviews.yaml").exists()


@pytest.mark.untraced
def test_rules_that_are_not_sound_are_not_signed(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    edit(rules / "trough" / "trough-low.yaml", "trough < {trough_low} ng/mL", "trough <= {trough_low} ng/mL")
    refused = run("sign", "--rules", rules, *WHO, "trough-high")
    assert refused.exit_code == 2 and "the rules are not sound, so they cannot be signed" in refused.stderr
    assert "trough-low.yaml:" in refused.stderr and not (rules / "reviews.yaml").exists()


def test_where_the_file_cannot_be_written(rules: Path) -> None:
    (rules / "reviews.yaml").mkdir()
    refused = run("sign", "--rules", rules, *WHO, "trough-low")
    assert refused.exit_code == 2 and "Traceback" not in refused.output


def test_check_can_demand_signatures(rules: Path) -> None:
    sign(rules, "trough-low", "trough-high")
    edit(rules / "trough" / "trough-high.yaml", "priority: 23", "priority: 33")
    demanded = run("check", "--require-signed", rules)
    assert demanded.exit_code == 1
    assert "rules/trough/trough-critical.yaml:1: is not signed under seed-2024\n" in demanded.stdout
    changed = "was signed under seed-2024 by A reviewer of the tests, haematologist, 2026-01-31; it, or a number it uses, has changed since"
    assert f"rules/trough/trough-high.yaml:1: {changed}\n" in demanded.stdout
    assert "trough-low.yaml" not in demanded.stdout


def test_check_demands_them_under_a_protocol_that_exists(rules: Path) -> None:
    demanded = run("check", "--require-signed", "--protocol", "nobodys", rules)
    assert demanded.exit_code == 1 and "there is no protocol 'nobodys'" in demanded.stdout


def test_without_a_protocol_the_one_in_force_is_signed(rules: Path, tmp_path: Path) -> None:
    """The topmost folder's default, as `evaluate` and `serve` take it."""
    site = tmp_path / "ours"
    (site / "protocols").mkdir(parents=True)
    text = (rules / "protocols" / "seed-2024.yaml").read_text(encoding="utf-8")
    (site / "protocols" / "ours.yaml").write_text(text.replace("id: seed-2024", "id: ours"), encoding="utf-8")
    signed = run("sign", "--rules", rules, "--overlay", site, *WHO, "trough-low")
    assert "trough-low: signed under ours" in signed.stdout
    assert load(rules, "", [site]).rule("trough-low").status == "active"


def test_numbers_that_are_recalled_keep_a_rule_from_being_signed(rules: Path) -> None:
    text = (rules / "protocols" / "seed-2024.yaml").read_text(encoding="utf-8")
    place = text.index("  trough_low:")
    (rules / "protocols" / "seed-2024.yaml").write_text(
        text[:place] + text[place:].replace("basis: SEEN", "basis: RECALLED", 1)
    )
    refused = run("sign", "--rules", rules, *WHO, "trough-low")
    assert refused.exit_code == 2 and "trough-low names numbers that are recalled (trough_low)" in refused.stderr


def test_the_page_of_rules_says_who_signed(rules: Path) -> None:
    sign(rules, "trough-low")
    page = run("docs", "--rules", rules).stdout
    assert "*Signed off by A reviewer of the tests, haematologist, 2026-01-31.*" in page.split("### trough-low\n")[1]


def test_only_signed_rules_are_served_when_that_is_asked(rules: Path) -> None:
    refused = run("serve", "--rules", rules, "--active-only")
    assert refused.exit_code == 2 and "only signed rules are to be served, and none is signed" in refused.stderr
