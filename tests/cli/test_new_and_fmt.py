"""``sirolimus-cds new`` writes a rule to fill, ``fmt`` puts rule files in their normal form."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.authoring.normal import normal
from cds.cli.main import main
from cds.knowledge.read import read_folder
from cds.knowledge.tree import plain, read
from tests.conftest import RULES
from tests.knowledge.test_wrong_rules import RULE, folder_of


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_a_new_rule_is_written_and_check_says_what_is_left_to_fill(tmp_path: Path) -> None:
    site = tmp_path / "our site"
    made = run("new", "trough/our-rule", "--overlay", site)
    assert made.exit_code == 0
    path = site / "trough" / "our-rule.yaml"
    assert made.stdout == f"{path}: fill what is marked TODO, then run sirolimus-cds check --overlay '{site}'\n"
    faults = [str(fault) for fault in read_folder(RULES, "", [site]).faults]
    assert faults[0] == "our site/trough/our-rule.yaml:2: is still to be written (TODO)"
    assert len(faults) == path.read_text(encoding="utf-8").count("TODO") == 10


@pytest.mark.slow
def test_filled_it_is_a_sound_rule(tmp_path: Path) -> None:
    site = tmp_path / "ours"
    run("new", "trough/our-rule", "--overlay", site)
    path = site / "trough" / "our-rule.yaml"
    text = path.read_text(encoding="utf-8").replace("TODO the summary, with the values filled in", "A trough 4.9 ng/mL")
    path.write_text(
        text.replace("TODO what the clinician reads first: trough", "A trough").replace("TODO", "Our"), encoding="utf-8"
    )
    assert [str(fault) for fault in read_folder(RULES, "", [site]).faults] == []
    assert run("scenario", "--overlay", site, RULES / "scenarios" / "trough" / "no-level-at-all.yaml").exit_code == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("our-rule", "'our-rule': write SUBJECT/NAME, where SUBJECT is one of dosing, trough, response, interactions, safety, monitoring"),
        ("levels/our-rule", "'levels/our-rule': write SUBJECT/NAME, where SUBJECT is one of dosing, trough, response, interactions, safety, monitoring"),
        ("trough/Our_Rule", "'Our_Rule': a rule's name is small words joined by hyphens, as in trough-low"),
        ("trough/../x", "'../x': a rule's name is small words joined by hyphens, as in trough-low"),
        ("dosing/trough-low", "there is a rule 'trough-low' already: "),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str, said: str) -> None:
    refused = run("new", name, "--overlay", tmp_path / "ours")
    assert refused.exit_code == 2 and said in refused.stderr
    assert not (tmp_path / "ours").exists()


UNTIDY = """# What the file is about.

title:   A rule      # in a few words
id: my-rule
# Comes late.
priority: 9
hooks: [ patient-view ]
when:
- trough < {trough_low} ng/mL   # the protocol's
card: {indicator: warning, summary: "Trough {trough} is low"}
cases:
    - case: Low
      # just below
      given: {trough: 4.90}
      card: Trough 4.9 is low
    - {case: Not low, given: {trough: 5}, card: none}
sources: [{cite: study, states: Levels were kept above 5 ng/mL., grade: C, basis: SEEN}]
"""
TIDY = """# What the file is about.

id: my-rule
title: A rule        # in a few words
hooks: [patient-view]
# Comes late.
priority: 9
when:
  - trough < {trough_low} ng/mL # the protocol's
card: {indicator: warning, summary: "Trough {trough} is low"}
sources: [{cite: study, states: Levels were kept above 5 ng/mL., grade: C, basis: SEEN}]
cases:
  - case: Low
      # just below
    given: {trough: 4.90}
    card: Trough 4.9 is low
  - {case: Not low, given: {trough: 5}, card: none}
"""


def test_keys_and_layout_are_put_in_order_and_comments_stay(tmp_path: Path) -> None:
    path = folder_of(tmp_path, UNTIDY) / "trough" / "my-rule.yaml"
    told = run("fmt", "--check", path)
    assert (told.exit_code, told.stdout) == (1, f"{path}: is not in its normal form\n")
    assert path.read_text(encoding="utf-8") == UNTIDY
    assert run("fmt", path).stdout == f"{path}: written\n"
    assert path.read_text(encoding="utf-8") == TIDY
    assert run("fmt", path).stdout == "" and run("fmt", "--check", tmp_path).exit_code == 0


def test_a_comment_right_above_the_first_key_goes_with_it(tmp_path: Path) -> None:
    text = "# agreed with the ward; do not raise\npriority: 9\n" + RULE.replace("priority: 9\n", "")
    path = folder_of(tmp_path, text) / "trough" / "my-rule.yaml"
    run("fmt", path)
    assert "# agreed with the ward; do not raise\npriority: 9\n" in path.read_text(encoding="utf-8")


def test_what_looks_like_a_comment_within_a_text_is_none(tmp_path: Path) -> None:
    words = folder_of(tmp_path, UNTIDY) / "words"
    words.mkdir()
    (words / "results.yaml").write_text('neutrophils:\n  ["neut #",\n   "anc"]\n', encoding="utf-8")
    assert run("fmt", words / "results.yaml").exit_code == 0
    assert (words / "results.yaml").read_text(encoding="utf-8") == 'neutrophils: ["neut #", "anc"]\n'


def test_a_linked_file_stays_a_link(tmp_path: Path) -> None:
    rules = folder_of(tmp_path, UNTIDY)
    path, elsewhere = rules / "trough" / "my-rule.yaml", tmp_path / "elsewhere.yaml"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert run("fmt", path).exit_code == 0
    assert path.is_symlink() and elsewhere.read_text(encoding="utf-8") == TIDY


def test_a_file_that_cannot_be_read_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    rules = folder_of(tmp_path, UNTIDY)
    broken = rules / "trough" / "broken.yaml"
    broken.write_text("id: [")
    told = run("fmt", rules / "trough")
    assert told.exit_code == 2 and f"{broken}:1: is not YAML" in told.stderr
    assert (rules / "trough" / "my-rule.yaml").read_text(encoding="utf-8") == TIDY and broken.read_text() == "id: ["


@pytest.mark.parametrize("name", ["notes.yaml", "nowhere/my-rule.yaml", "trough/my-rule.txt"])
def test_what_is_no_rule_file_is_left_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(RULE)
    told = run("fmt", path)
    assert told.exit_code == 2 and "is no file of a rules folder" in told.stderr and path.read_text() == RULE


def _blocks(text: str) -> list[str]:
    """The text of a rule, cut before each of its keys; a comment goes with the key above it."""
    blocks: list[str] = []
    for line in text.splitlines(keepends=True):
        if line[0] in " #":
            blocks[-1] += line
        else:
            blocks.append(line)
    return blocks


BLOCKS = _blocks(RULE)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(order=st.permutations(BLOCKS))
def test_the_normal_form_says_the_same_and_is_its_own(
    tmp_path_factory: pytest.TempPathFactory, order: list[str]
) -> None:
    """In whatever order an author writes the keys."""
    path = tmp_path_factory.mktemp("r") / "trough" / "my-rule.yaml"
    path.parent.mkdir()
    path.write_text("".join(order))
    once = normal(path, "my-rule.yaml")
    assert read(path, "x").value == plain(once, "x").value
    path.write_text(once)
    assert normal(path, "my-rule.yaml") == once
    assert [line for line in once.splitlines() if line[0] not in " #"] == [block.splitlines()[0] for block in BLOCKS]
