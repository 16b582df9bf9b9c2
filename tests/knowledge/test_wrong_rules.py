"""The sentence that the author of a wrong rule gets, with file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cds.knowledge.read import read_folder
from tests.conftest import RULES

SOURCES = """study:
  citation: A study
  url: https://example.org/study
  kind: study
"""
PROTOCOL = """id: seed-2024
title: A protocol
tables:
  dose_windows:
    - {age_group: adult, phase: starting, low: 2, high: 4, cite: study, basis: SEEN}
numbers:
  trough_low: {value: 5, unit: ng/mL, means: Floor, cite: study, basis: SEEN}
"""
DEFINITIONS = "adult_age: {value: 18, unit: year, means: Adult, cite: study, basis: SEEN}\n"
RULE = """id: my-rule
title: A rule
# A small rule with everything a rule needs.
hooks: [patient-view]
priority: 9
when:
  - trough < {trough_low} ng/mL
card:
  indicator: warning
  summary: "Trough {trough} is low"
  because:
    - "Weight: {weight}."
sources:
  - cite: study
    states: Levels were kept above 5 ng/mL.
    grade: C
    basis: SEEN
cases:
  - case: Low
    given: {trough: 4.9}
    card: Trough 4.9 is low
  - case: Not low
    given: {trough: 5}
    card: none
"""
TESTS = """level:
  means: sirolimus level
  kind: number
  unit: ng/mL
  units:
    - times: 1
      written: [ng/mL]
"""
REVIEWS = """my-rule:
  signatures:
    - protocol: seed-2024
      meaning: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
      by: A reader of this test
      role: Haematologist
      on: 2026-01-31
"""


def folder_of(tmp_path: Path, rule: str = RULE, **files: str) -> Path:
    """A small folder with one rule in it."""
    rules = tmp_path / "rules"
    for folder in ("trough", "protocols", "valuesets"):
        (rules / folder).mkdir(parents=True)
    (rules / "sources.yaml").write_text(files.get("sources", SOURCES))
    (rules / "definitions.yaml").write_text(files.get("definitions", DEFINITIONS))
    (rules / "protocols" / "seed-2024.yaml").write_text(files.get("protocol", PROTOCOL))
    (rules / "tests.yaml").write_text(files.get("tests", TESTS))
    (rules / "trough" / "my-rule.yaml").write_text(rule)
    if "reviews" in files:
        (rules / "reviews.yaml").write_text(files["reviews"])
    return rules


def faults(tmp_path: Path, rule: str = RULE, **files: str) -> list[str]:
    """The faults of such a folder."""
    return [str(fault) for fault in read_folder(folder_of(tmp_path, rule, **files)).faults]


def test_the_rule_itself_is_sound(tmp_path: Path) -> None:
    assert faults(tmp_path) == []


MY = "rules/trough/my-rule.yaml"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("trough < {", "trogh < {", f"{MY}:7: when: unknown fact 'trogh'; did you mean 'trough'?"),
        ("} ng/mL\ncard", "} mg/L\ncard", f"{MY}:7: when: trough is in ng/mL, not mg/L"),
        ("} ng/mL\ncard", "}\ncard", f"{MY}:7: when: say the unit: trough is in ng/mL"),
        ("{trough_low} ng/mL\ncard", "4.5 ng/mL\ncard", f"{MY}:7: the number 4.5 stands in no source of this rule"),
        ("{trough_low} ng/mL\ncard", "low ng/mL\ncard", f"{MY}:7: when: 'low' is not a number"),
        ("{trough_low}", "{trough_lw}", f"{MY}:7: when: nothing here is called {{trough_lw}}; it must come from the table, the protocol or definitions"),
        ("trough < {trough_low} ng/mL", "trough is low", f"{MY}:7: when: trough can only be 'present' or 'absent' or compared with <, >"),
        ("trough < {trough_low} ng/mL", "in_response is yes", f"{MY}:7: when: in_response is true or false, not 'yes'"),
        ("trough < {trough_low} ng/mL", "phase is early", f"{MY}:7: when: phase is one of starting, maintenance, starting-or-maintenance; not 'early'"),
        ("trough < {trough_low} ng/mL", "phase > 3", f"{MY}:7: when: phase is not a number and cannot be compared with >"),
        ("trough < {trough_low} ng/mL", "trough is not present", f"{MY}:7: when: write 'trough is absent'"),
        ("trough < {trough_low} ng/mL", "trough plus 1", f"{MY}:7: when: 'trough plus 1' is not a condition; write 'fact < number unit', 'fact is value' or 'fact is present'"),
        ('"Trough {trough} is low"', '"Weight {weight}"', f"{MY}:10: summary: {{weight}} may be unknown when the rule holds; test it in 'when' or leave it out"),
        ("{weight}.", "{wieght}.", f"{MY}:12: unknown fact 'wieght'; did you mean 'weight'?"),
        ("cite: study\n    states", "cite: stduy\n    states", f"{MY}:14: source 'stduy' is not in sources.yaml"),
        ("id: my-rule", "id: other-rule", f"{MY}:1: the file must be called other-rule.yaml"),
        ("priority: 9", "priorty: 9", f"{MY}:1: 'priority' is missing\n{MY}:5: unknown key 'priorty'; did you mean 'priority'?"),
        ("priority: 9\n", "", f"{MY}:1: 'priority' is missing"),
        ("title: A rule\n", "title: A rule\ntitle: Twice\n", f"{MY}:3: 'title' is given twice"),
        ("# A small rule with everything a rule needs.", "status: active", f"{MY}:3: unknown key 'status': a rule is active while it is signed as it is now; see 'sirolimus-cds sign'"),
        ("hooks: [patient-view]", "hooks: [order-dispatch]", f"{MY}:4: '0': must be 'patient-view', 'order-select' or 'order-sign'"),
        ("  indicator: warning\n", "", f"{MY}:8: 'indicator' is missing"),
        ("{trough: 4.9}", "{trogh: 4.9}", f"{MY}:20: unknown fact 'trogh'; did you mean 'trough'?"),
        ("{trough: 4.9}", "{trough: low}", f"{MY}:20: 'trough' takes a number, not 'low'"),
        ("case: Not low", "case: Low", f"{MY}:22: two cases are called 'Low'"),
        ("  - case: Not low\n", "  - case: Not low\n    hook: order-sign\n", f"{MY}:22: the rule does not run on order-sign"),
        ("when:\n", "table: protocol.doses\nwhen:\n", f"{MY}:6: there is no table 'protocol.doses'; there is: protocol.dose_windows"),
        ("sources:\n", "yields_to: [no-such-rule]\nsources:\n", f"{MY}:13: yields_to: there is no rule 'no-such-rule'"),
        ("sources:\n", "yields_to: [my-rule]\nsources:\n", f"{MY}:13: yields_to: the rules give way to one another in a circle"),
        ("priority: 9", "priority: 1e1", f"{MY}:5: '1e1' is not a plain number; write it out in digits"),
        ("priority: 9", "priority: &a 9\nmerge: *a", f"{MY}:5: aliases (*name) are not allowed; write the value out"),
        ("title: A rule", "title: !!python/name:os.system A rule", f"{MY}:2: tags are not allowed: tag:yaml.org,2002:python/name:os.system"),
        ("title: A rule", "title: [", f"{MY}:5: is not YAML: expected ',' or ']', but got '<scalar>'"),
        ("title: A rule", "title:", f"{MY}:2: 'title' has no value"),
        ("when:\n  - trough < {trough_low} ng/mL\n", "", f"{MY}:1: 'when' is missing"),
        ("{weight}.", "{Weight}.", f"{MY}:8: '{{Weight}}' is no name of a fact or a number"),
        ("{weight}.", "{weight  as reported}.", f"{MY}:8: '{{weight  as reported}}' is no name of a fact or a number"),
        ("{weight}.", "{weight as reported}.", f"{MY}:8: '{{weight as reported}}': the record says nothing else of weight; write '{{weight}}'"),
        ("{trough: 4.9}", "{trough: 4.9, weight as reported: 60 kg}", f"{MY}:20: the record says nothing else of weight"),
        ("{trough: 4.9}", '{trough: "<5.0000001"}', f"{MY}:20: 'trough' takes a number, not '<5.0000001'"),
        ("sources:\n", "  suggestions: [{label: 'Hold {nonsense}', action: hold}]\nsources:\n", f"{MY}:13: unknown fact 'nonsense'; did you mean 'worsened'?"),
    ],
)  # fmt: skip
def test_one_fault_one_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in RULE
    assert "\n".join(faults(tmp_path, RULE.replace(old, new, 1))) == said


def test_one_name_is_not_two_numbers(tmp_path: Path) -> None:
    twice = DEFINITIONS + "trough_low: {value: 9, unit: ng/mL, means: Another floor, cite: study, basis: SEEN}\n"
    assert faults(tmp_path, definitions=twice) == [
        "rules:1: 'trough_low' is a definition and a number of the protocol; {trough_low} would mean either"
    ]


def test_recalled_knowledge_cannot_be_signed(tmp_path: Path) -> None:
    recalled = RULE.replace("basis: SEEN\ncases", "basis: RECALLED\ncases")
    assert faults(tmp_path, recalled, reviews=REVIEWS) == [
        "rules/reviews.yaml:1: 'my-rule' rests on recalled knowledge and cannot be signed"
    ]


SHORT = (
    "rules/reviews.yaml:4: my-rule: 'meaning': must be the hash of 64 digits that 'sirolimus-cds sign' writes "
    "(16 are of an older version: delete the entry and sign again)"
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("my-rule", "no-such-rule", "rules/reviews.yaml:1: there is no rule 'no-such-rule'"),
        ("0123456789abcdef" * 3, "", SHORT),
        ("0123456789abcdef" * 4, "my own", SHORT),
        ("      role: Haematologist\n", "", "rules/reviews.yaml:3: my-rule: 'role' is missing"),
        ("2026-01-31", "2026-13-45", "rules/reviews.yaml:7: my-rule: 'on': must be a date such as 2026-01-31"),
        ("A reader of this test", "'A <b>reader</b>'", "rules/reviews.yaml:5: my-rule: 'by': must be a name, on one line and without markup"),
        ("2026-01-31", "yesterday", "rules/reviews.yaml:7: my-rule: 'on': must be a date such as 2026-01-31"),
    ],
)  # fmt: skip
def test_a_wrong_signature(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in REVIEWS
    assert faults(tmp_path, reviews=REVIEWS.replace(old, new, 1)) == [said]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    wrong = RULE.replace("cite: study\n    states", "cite: stduy\n    states").replace("trough < {", "trogh < {")
    assert len(faults(tmp_path, wrong)) == 2


def test_too_many_alternatives_are_refused(tmp_path: Path) -> None:
    some = "\n".join(f"      - trough < {number} ng/mL" for number in range(5))
    wide = RULE.replace("  - trough < {trough_low} ng/mL", f"  - any:\n{some}\n  - any:\n{some.replace('<', '>')}")
    assert any("has 25 alternatives; at most 16 may be tried" in fault for fault in faults(tmp_path, wide))


def test_a_protocol_number_without_a_source(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, protocol=PROTOCOL.replace("Floor, cite: study", "Floor, cite: nobody"))
    assert fault == "rules/protocols/seed-2024.yaml:7: source 'nobody' is not in sources.yaml"


def test_a_definition_without_a_unit(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, definitions="adult_age: {value: 18, means: Adult, cite: study, basis: SEEN}\n")
    assert fault == "rules/definitions.yaml:1: adult_age: 'unit' is missing"


def test_a_link_that_is_not_https(tmp_path: Path) -> None:
    fault, *_ = faults(
        tmp_path, sources=SOURCES.replace("https://", "javascript:")
    )  # then that the source is not there
    assert fault == "rules/sources.yaml:3: study: 'url': must be an address that begins with https://"


@pytest.mark.parametrize(
    "content", [b"%YAML 1.1\n---\na: yes\n", b"", b"\xff\xfe", b"a: " + b"[" * 200, b"# nothing\n"]
)
def test_a_file_that_is_no_rule(tmp_path: Path, content: bytes) -> None:
    faults(tmp_path)
    (tmp_path / "rules" / "trough" / "my-rule.yaml").write_bytes(content)
    (fault,) = read_folder(tmp_path / "rules").faults
    assert str(fault).startswith(f"{MY}:1: ")


SET = "id: {}\nmeans: Drugs\ncite: study\ndrugs:\n  - {{name: itraconazole, rxnorm: ['28031'], atc: [J02AC02]}}\n"
CODED = "id: itp\nmeans: m\ncite: study\ncodes:\n  - {{system: '{}', code: 1-8, name: n, display: d}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SET.format("strong-inhibitors"), "rules/valuesets/mine.yaml:1: nothing reads a value set 'strong-inhibitors'; did you mean 'strong-inhibitor'?"),
        (SET.format("strong-inhibitor").replace("'28031'", "'x28031'"), "rules/valuesets/mine.yaml:5: 'x28031' is no code of rxnorm"),
        (SET.format("strong-inhibitor").replace("cite: study", "cite: nobody"), "rules/valuesets/mine.yaml:3: source 'nobody' is not in sources.yaml"),
        (CODED.format("lionc"), "rules/valuesets/mine.yaml:5: 'system': must be loinc, snomed, icd10, icd11, icd9, ucum, or a code system of your own by its address (https://... or urn:...)"),
        (CODED.format("http://loinc.org"), "rules/valuesets/mine.yaml:5: write 'loinc' for http://loinc.org"),
        (SET.format("strong-inhibitor") + "subjects: [liver]\n", "rules/valuesets/mine.yaml:6: unknown key 'subjects': delete it; a signature covers what the facts of a rule read"),
    ],
)  # fmt: skip
def test_a_wrong_value_set(tmp_path: Path, text: str, said: str) -> None:
    rules = folder_of(tmp_path)
    (rules / "valuesets" / "mine.yaml").write_text(text)
    (rules / "valuesets" / "rxnorm_products.csv").write_text("rxcui,drug,route,strength\n")
    assert [str(fault) for fault in read_folder(rules).faults] == [said]


def test_a_number_may_not_have_the_name_of_a_fact(tmp_path: Path) -> None:
    """A card's text would show the one and mean the other."""
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    with (folder / "definitions.yaml").open("a", encoding="utf-8") as file:
        file.write("trough:\n  value: 5\n  unit: ng/mL\n  means: A clash.\n  cite: judgement\n  basis: JUDGEMENT\n")
    assert any("'trough' names a fact and a number" in str(fault) for fault in read_folder(folder).faults)


@pytest.mark.parametrize(
    ("cite", "grade", "said"),
    [("judgement", "B", "a judgement cannot carry grade B"), ("feng-2024", "A", "a study cannot carry grade A")],
)
def test_a_source_carries_no_grade_above_its_kind(tmp_path: Path, cite: str, grade: str, said: str) -> None:
    """The card prints what the grade means beside the source."""
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    file = folder / "trough" / "exposure-shift.yaml"
    text = (
        file.read_text(encoding="utf-8")
        .replace("cite: judgement", f"cite: {cite}")
        .replace("grade: D", f"grade: {grade}")
    )
    file.write_text(text, encoding="utf-8")
    assert any(said in str(fault) for fault in read_folder(folder).faults)
