"""A site's own folder over the rules, and the protocols that ship."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds.authoring.cases import cases_of
from cds.authoring.check import Engines
from cds.authoring.page import page
from cds.authoring.scenarios import run_check, scenarios_of
from cds.cli.main import main
from cds.engine import CheckedEngine
from cds.knowledge.load import load
from cds.knowledge.read import read_folder
from cds.knowledge.tree import Fault
from tests.charts import count, day, itp, level, patient, sirolimus
from tests.conftest import RULES
from tests.judge import gaps, judge, topics

pytestmark = pytest.mark.slow

TITRATION = "fhir_examples/course-1-titration/bundle.json"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of a hospital, with a space in its name."""
    folder = tmp_path / "our hospital"
    (folder / "protocols").mkdir(parents=True)
    return folder


def add(site: Path, name: str, text: str) -> None:
    (site / name).parent.mkdir(exist_ok=True)
    (site / name).write_text(text, encoding="utf-8")


def seed_with(old: str, new: str, name: str = "ours") -> str:
    text = (RULES / "protocols" / "seed-2024.yaml").read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new).replace("id: seed-2024", f"id: {name}")


def test_a_protocol_beside_the_shipped_ones(site: Path) -> None:
    add(site, "protocols/ours.yaml", seed_with("value: 5\n", "value: 6\n").replace("default: true\n", ""))
    assert load(None, "ours", [site]).protocol.numbers["trough_low"] == 6
    assert load(None, "", [site]).protocol.id == "seed-2024"


def test_a_site_may_make_its_protocol_the_default(site: Path) -> None:
    add(site, "protocols/ours.yaml", seed_with("value: 5\n", "value: 6\n"))
    assert load(None, "", [site]).protocol.id == "ours"


def test_a_number_that_a_site_changes_changes_wherever_it_is_said(site: Path) -> None:
    said = {
        "change_cap": ("0.5", "0.4", "x", "at most {} times the dose up or down"),
        "partial_count": ("30", "35", "10^9/L", "explains the newest count of {} or more"),
        "maintenance_from": ("90", "100", "day", "starting before day {} of the course"),
        "low_count_adult": ("20", "25", "10^9/L", "Reported below {}, and not for a count"),
        "hemoglobin_fall_days": ("14", "10", "day", "A fall by more than 2 g/dL within {} days"),
    }
    for name, (_, value, unit, _) in said.items():
        with (site / "definitions.yaml").open("a", encoding="utf-8") as file:
            file.write(f'{name}: {{value: {value}, unit: "{unit}", means: Ours., cite: judgement, basis: JUDGEMENT}}\n')
    before, after = page(read_folder(RULES)), page(read_folder(RULES, "", [site]))
    for old, new, _, sentence in said.values():
        assert sentence.format(old) in before and sentence.format(new) not in before
        assert sentence.format(new) in after and sentence.format(old) not in after


def test_a_source_that_names_no_number_of_ours_is_a_fault(site: Path) -> None:
    rule = (RULES / "trough" / "trough-low.yaml").read_text(encoding="utf-8")
    add(site, "trough/trough-low.yaml", rule.replace("{change_cap}", "{change_cop}"))
    (fault,) = read_folder(RULES, "", [site]).faults
    assert str(fault).endswith("states: {change_cop} is no number of the definitions or the protocol")


def test_one_number_one_rule_one_source_replaced_and_all_of_it_said(site: Path) -> None:
    number = "adult_age: {value: 16, unit: year, means: Adult here., cite: ours, basis: JUDGEMENT}\n"
    add(site, "definitions.yaml", number)
    add(site, "sources.yaml", "ours: {citation: Our hospital's committee, kind: judgement}\n")
    rule = (RULES / "response" / "low-platelets-child.yaml").read_text(encoding="utf-8")
    add(site, "response/low-platelets-child.yaml", rule.replace("priority: 46", "priority: 47"))
    knowledge = load(None, "", [site])
    assert knowledge.definitions["adult_age"] == 16
    assert knowledge.definitions["infant_age"] == 2  # what is not replaced stays
    assert knowledge.rule("low-platelets-child").priority == 47
    assert set(knowledge.changes) == {
        "our hospital: adds ours in sources.yaml",
        "our hospital: replaces adult_age in definitions.yaml",
        "our hospital: replaces response/low-platelets-child.yaml",
    }


def test_of_two_overlays_the_later_counts(site: Path, tmp_path: Path) -> None:
    for name, years in (("our hospital", 16), ("our ward", 17)):
        line = f"adult_age: {{value: {years}, unit: year, means: Adult here., cite: judgement, basis: JUDGEMENT}}\n"
        (tmp_path / name).mkdir(exist_ok=True)
        add(tmp_path / name, "definitions.yaml", line)
    assert load(None, "", [site, tmp_path / "our ward"]).definitions["adult_age"] == 17


def test_what_only_the_overlay_says_has_another_hash(site: Path) -> None:
    line = "adult_age: {value: 16, unit: year, means: Adult here., cite: judgement, basis: JUDGEMENT}\n"
    add(site, "definitions.yaml", line)
    assert load(None, "", [site]).hash != load().hash


def test_a_fault_in_an_overlay_has_its_place(site: Path) -> None:
    add(site, "definitions.yaml", "adult_age: {value: 16, unit: year, means: Adult here., basis: JUDGEMENT}\n")
    (fault,) = read_folder(RULES, "", [site]).faults
    assert str(fault) == "our hospital/definitions.yaml:1: adult_age: 'cite' is missing"


def test_the_command_line_says_what_was_replaced(site: Path) -> None:
    add(site, "protocols/ours.yaml", seed_with("value: 5\n", "value: 3.9\n").replace("default: true\n", ""))
    asked = ["evaluate", "--at", "latest", "--overlay", str(site), "--protocol", "ours", TITRATION]
    result = CliRunner().invoke(main, asked)
    assert result.stderr == "sirolimus-cds: overlay our hospital: adds protocols/ours.yaml\n"
    assert result.stdout == "No cards.\n"  # 3.9 ng/mL is in that target


def test_a_file_that_would_not_be_read_is_a_fault(site: Path) -> None:
    add(site, "valuesets/bleeding-grade.yml", "id: bleeding-grade\n")
    add(site, "ci/pipeline.yml", "stages: []\n")  # not ours
    (fault,) = read_folder(RULES, "", [site]).faults
    assert (
        str(fault) == "our hospital/valuesets/bleeding-grade.yml:1: is not read: the name of a rule file ends in .yaml"
    )


def test_an_overlay_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["evaluate", "--overlay", str(tmp_path / "gone"), TITRATION])
    assert result.exit_code == 2 and "gone:1: is not a folder of rules" in result.stderr


def faults_of(site: Path) -> list[str]:
    """What `check` would say of the scenarios of a site; the shipped ones are tested elsewhere."""
    engines, found = Engines(RULES, [site]), list[Fault]()
    for scenario in scenarios_of(RULES, found, [site]):
        if scenario.document.path.startswith("our hospital/"):
            for check in scenario.checks:
                try:
                    fault = run_check(check, engines.of(scenario.shape.protocol, check.fault))
                except Fault as unknown:
                    fault = unknown
                found += [fault] if fault is not None else []
    return list(map(str, found))


def test_a_scenario_is_judged_under_its_own_protocol(site: Path) -> None:
    add(site, "protocols/ours.yaml", seed_with("value: 5\n", "value: 6\n"))
    scenario = (
        "scenario: Ours\nstory: A level of 5.5.\nprotocol: ours\ndays:\n  0: sirolimus 2 mg daily\n"
        "  20: [level 5.5, platelets 60]\ncards:\n  - {day: 21, expect: [trough-low]}\n"
    )
    add(site, "scenarios/ours.yaml", scenario)
    assert faults_of(site) == []
    add(site, "scenarios/ours.yaml", scenario.replace("[trough-low]", "none"))
    (said,) = faults_of(site)
    assert said.startswith("our hospital/scenarios/ours.yaml:8: day 21: expected (-) and got (+):")
    add(site, "scenarios/ours.yaml", scenario.replace("protocol: ours", "protocol: theirs"))
    (said,) = faults_of(site)
    assert "day 21: there is no protocol 'theirs'" in said


def test_a_default_of_the_site_does_not_judge_the_shipped_cases(site: Path) -> None:
    add(site, "protocols/ours.yaml", seed_with("value: 5\n", "value: 6\n"))
    read = Engines(RULES, [site]).read()
    assert read.knowledge is not None and read.knowledge.protocol.id == "seed-2024"


def test_a_case_under_an_unknown_protocol_is_a_fault(site: Path) -> None:
    rule = (RULES / "trough" / "trough-low.yaml").read_text(encoding="utf-8")
    add(site, "trough/trough-low.yaml", rule.replace("protocol: ctd-6-15", "protocol: ctd"))
    engines = Engines(RULES, [site])
    case = next(case for case in cases_of(engines.read()) if case.shape.protocol == "ctd")
    with pytest.raises(Fault, match="there is no protocol 'ctd'; there is: ctd-6-15, feng-2020"):
        engines.of(case.shape.protocol, case.fault)


def test_check_reads_the_overlay_too(site: Path) -> None:
    add(site, "definitions.yaml", "adult_age: {value: 16, unit: year, means: Adult here., basis: JUDGEMENT}\n")
    result = CliRunner().invoke(main, ["check", "--overlay", str(site)])
    assert result.exit_code == 1 and "our hospital/definitions.yaml:1: adult_age: 'cite' is missing" in result.output


# --- the protocols that ship -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def label() -> CheckedEngine:
    return CheckedEngine(load(None, "label-lam"))


@pytest.mark.untraced
def test_the_five_protocols_ship() -> None:
    shipped = {path.stem for path in (RULES / "protocols").glob("*.yaml")}
    assert shipped == {"seed-2024", "feng-2020", "ctd-6-15", "label-lam", "paediatric-cytopenia"}
    assert all(load(None, name).protocol.id == name for name in shipped)


def test_a_phase_or_an_age_without_a_window_is_said(label: CheckedEngine) -> None:
    chart = [sirolimus("s", day(0), 3), level("l", day(100), 8), count("c", day(110), 120)]
    assert gaps(judge(label, 89, *chart[:1], count("c", day(80), 120), level("l", day(60), 8))) == set()
    advice = judge(label, 110, *chart)
    assert gaps(advice) == {"Dose window"} and "doseAboveWindow" not in topics(advice)
    child = [patient("2015-01-01"), itp(), sirolimus("s", day(0), 1)]
    assert "Dose window" in gaps(judge(label, 12, *child, adult=False))


def test_without_a_window_no_dose_is_proposed(label: CheckedEngine) -> None:
    chart = [sirolimus("s", day(0), 2), level("l", day(110, "08:00"), 4), count("c", day(105), 25)]
    (card,) = [c for c in judge(label, 112, *chart).cards if c["source"]["topic"]["code"] == "troughLow"]
    assert "No dose is proposed: the protocol gives no dose window for this patient now." in card["detail"]
    assert all("Change the order" not in s["label"] for s in card.get("suggestions", ()))


def test_a_card_cites_the_protocol_it_judges_by(label: CheckedEngine) -> None:
    chart = [sirolimus("s", day(0), 4), count("c", day(5), 60)]
    (card,) = [c for c in judge(label, 9, *chart).cards if c["source"]["topic"]["code"] == "doseAboveWindow"]
    assert "Sirolimus label, lymphangioleiomyomatosis" in card["detail"] and "Feng" not in card["detail"]
    assert card["extension"]["net.sirolimus-itp-cds.findings"][0]["protocol"] == "label-lam"


# --- faults of a site's own files ------------------------------------------------------------------


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("schedule.yaml", "glucose: {means: g, loinc: 1558-6, display: d, seen_by: [glucose], every: [28, 30, 90], cite: judgement, basis: JUDGEMENT}", "needs four numbers"),
        ("schedule.yaml", "glucose: {means: g, loinc: 1558-6, display: d, seen_by: [glucose], every: [-7, 7, 7, 7], cite: judgement, basis: JUDGEMENT}", "greater than or equal to 0"),
        ("schedule.yaml", "glucose: {means: g, loinc: 1558-6, display: d, seen_by: [glucoze], cite: judgement, basis: JUDGEMENT}", "no value set knows a result 'glucoze'"),
        ("schedule.yaml", "glucose: {means: g, loinc: 1558-7, display: d, seen_by: [glucose], cite: judgement, basis: JUDGEMENT}", "'1558-7' is no code of loinc"),
        ("schedule.yaml", "- a\n- b", "must be keys with their entries"),
        ("definitions.yaml", "passive_antibody: {value: 6, unit: month, means: m, cite: judgement, basis: JUDGEMENT}", "is in day here, not in month"),
        ("valuesets/rxnorm_products.csv", "rxcui;drug;route;strength\n1;sirolimus;systemic;", "lacks the columns"),
        ("valuesets/rxnorm_products.csv", "rxcui,drug,route\n1,sirolimus,systemic", "lacks the columns strength"),
        ("valuesets/rxnorm_products.csv", "rxcui,drug,route,strength\n12x,sirolimus,systemic,", "'12x' is no code of rxnorm"),
        ("valuesets/rxnorm_products.csv", "rxcui,drug,route,strength\n12,sirolimus,systemic,1 mg", "'1 mg' is no strength"),
        ("valuesets/rxnorm_products.csv", "rxcui,drug,route,strength\n12,sirolimus", ""),
        ("valuesets/itp.yaml", "id: itp\nmeans: m\ncite: judgement\ncodes:\n  - {system: snomed, code: '32273003', name: itp, display: d}", "'32273003' is no code of snomed"),
        ("valuesets/cvx.yaml", "id: cvx\nmeans: m\ncite: judgement\ndrugs:\n  - {name: x, cvx: ['1']}", "'1' is no code of cvx"),
        ("valuesets/atc.yaml", "id: atc\nmeans: m\ncite: judgement\ndrugs:\n  - {name: x, atc: [L04A]}", "'L04A' is no code of atc"),
    ],
)  # fmt: skip
def test_what_a_site_may_get_wrong(site: Path, name: str, text: str, said: str) -> None:
    add(site, name, text)
    faults = [str(fault) for fault in read_folder(RULES, "", [site]).faults]
    assert all(fault.startswith("our hospital/") for fault in faults)
    assert any(said in fault for fault in faults) == bool(said) or not said


def test_products_of_a_site_stand_beside_the_shipped_ones(site: Path) -> None:
    add(
        site,
        "valuesets/rxnorm_products.csv",
        "\ufeffrxcui,drug,route,strength\n99999999,sirolimus,systemic,5\n349208,sirolimus,other,\n",
    )
    codes = load(None, "", [site]).codes["http://www.nlm.nih.gov/research/umls/rxnorm"]
    assert codes["99999999"][0].strength == "5"
    assert [meant.oral for meant in codes["349208"]] == [False]  # its own row takes the place of ours
    assert codes["197517"] == load().codes["http://www.nlm.nih.gov/research/umls/rxnorm"]["197517"]


def test_a_site_adds_the_spelling_of_a_unit_for_one_test(site: Path) -> None:
    shipped = (RULES / "tests.yaml").read_text(encoding="utf-8")
    entry = shipped[shipped.index("platelets:\n") : shipped.index("weight:\n")]
    add(site, "tests.yaml", entry.replace('written: ["10*9/L"', 'written: ["giga per litre", "10*9/L"'))
    engine = CheckedEngine(load(None, "", [site]))
    chart = [sirolimus("s", day(0), 2), count("p", day(20), 15, "giga per litre")]
    assert "lowPlateletsAdult" in topics(judge(engine, 21, *chart))
    assert "lowPlateletsAdult" not in topics(judge(CheckedEngine(load()), 21, *chart))
    assert (
        load(None, "", [site]).measures["neutrophils"].units.factor("Giga per Litre") == 1
    )  # which has the same units


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("iron: {means: iron, kind: number, unit: g, units_of: zinc}", "iron: there are no units of 'zinc'"),
        (
            "iron: {means: iron, kind: number, unit: g, units_of: level, highest: iron_highest}",
            "iron: there is no definition 'iron_highest'",
        ),
        ("iron: {means: iron, kind: number, unit: g}", "a number needs its 'unit', and 'units' or 'units_of'"),
        ("iron: {means: iron, kind: guess}", "iron: 'kind'"),
        ("iron: {means: iron, kind: done}", "iron: no value set knows such a result"),
        ("hba1c: {means: x, kind: number, unit: '%', units_of: oxygen}", "hba1c: there are no units of 'oxygen'"),
        (
            "ast: {means: x, kind: number, unit: U/L, units_of: alt, not_from: [serom]}",
            "ast: there is no specimen 'serom'",
        ),
        (
            "ast: {means: x, kind: number, unit: ukat/L, units_of: alt}",
            "ast: must be of the kind 'number' in U/L, as rules compare it",
        ),
        ("hiv: {means: x, kind: done}", "hiv: must be of the kind 'yes or no', as rules compare it"),
    ],
)
def test_a_wrong_test_is_a_fault(site: Path, entry: str, said: str) -> None:
    add(site, "tests.yaml", entry + "\n")
    assert any(said in str(fault) for fault in read_folder(RULES, "", [site]).faults)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("settles: inhibitor_settles\n", "", "what moves the level needs 'settles' and 'shown_after_stop'"),
        ("settles: inhibitor_settles", "settles: inhibitor_setles", "there is no definition 'inhibitor_setles'"),
        ("roles: [inhibitor]", "roles: [inhibits]", "must be 'inhibitor', 'inducer'"),
    ],
)
def test_what_a_class_of_drugs_is_must_be_whole(site: Path, old: str, new: str, said: str) -> None:
    shipped = (RULES / "valuesets" / "moderate-inhibitor.yaml").read_text(encoding="utf-8")
    assert old in shipped
    add(site, "valuesets/moderate-inhibitor.yaml", shipped.replace(old, new))
    assert any(said in str(fault) for fault in read_folder(RULES, "", [site]).faults)


def test_a_class_that_a_site_wrote_for_the_version_before_is_told_what_to_write(site: Path) -> None:
    shipped = (RULES / "valuesets" / "moderate-inhibitor.yaml").read_text(encoding="utf-8")
    keys = "roles: [inhibitor]\nsettles: inhibitor_settles\nshown_after_stop: stopped_inhibitor_shown\n"
    assert keys in shipped
    add(site, "valuesets/moderate-inhibitor.yaml", shipped.replace(keys, ""))
    (fault,) = read_folder(RULES, "", [site]).faults
    assert str(fault) == (
        "our hospital/valuesets/moderate-inhibitor.yaml:1: has no 'roles'; the file whose place it takes says "
        "'roles: [inhibitor]'"
    )


def test_a_folder_whose_drugs_have_no_roles_is_told_so(tmp_path: Path) -> None:
    own = Path(shutil.copytree(RULES, tmp_path / "own"))
    for path in (own / "valuesets").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            re.sub(r"^(roles|settles|shown_after_stop): .*\n", "", text, flags=re.MULTILINE), encoding="utf-8"
        )
    said = [str(fault) for fault in read_folder(own).faults]
    assert "own/valuesets:1: no value set has the role 'inhibitor'; see valuesets/README.md" in said


@pytest.mark.parametrize("name", ["neutrophils", "dose"])
def test_a_folder_that_lacks_a_test_which_facts_read_is_told_so(tmp_path: Path, name: str) -> None:
    own = Path(shutil.copytree(RULES, tmp_path / "own"))
    text = (own / "tests.yaml").read_text(encoding="utf-8")
    (own / "tests.yaml").write_text(re.sub(rf"^{name}:\n(?:  .*\n)+", "", text, flags=re.MULTILINE), encoding="utf-8")
    (fault,) = read_folder(own).faults
    assert str(fault) == f"own/tests.yaml:1: there is no test '{name}', which the facts read"


def test_a_file_that_was_replaced_may_be_anything(tmp_path: Path, site: Path) -> None:
    own = Path(shutil.copytree(RULES, tmp_path / "own"))
    shipped = (own / "valuesets" / "immunosuppressant.yaml").read_text(encoding="utf-8")
    add(site, "valuesets/immunosuppressant.yaml", shipped.replace("roles: [suppressant]\n", ""))
    (own / "valuesets" / "immunosuppressant.yaml").write_text("- [", encoding="utf-8")
    assert read_folder(own, "", [site]).faults == []
