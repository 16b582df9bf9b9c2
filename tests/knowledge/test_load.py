"""Knowledge is compiled once, follows every change, and carries the hash of its meaning."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cds.knowledge.compiled import Knowledge
from cds.knowledge.load import UnsoundRules, load, shipped_rules
from cds.knowledge.read import read_folder
from tests.conftest import RULES


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def cached(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache").rglob("*.msgpack"))


def test_what_comes_from_the_cache_is_what_was_compiled(rules: Path, tmp_path: Path) -> None:
    first = load(rules)
    assert len(cached(tmp_path)) == 1
    assert load(rules) == first == read_folder(rules).knowledge


def test_a_changed_rule_is_seen_at_once(rules: Path) -> None:
    load(rules)
    seed = rules / "protocols" / "seed-2024.yaml"
    seed.write_text(seed.read_text().replace("value: 15\n", "value: 12\n"))
    assert load(rules).protocol.numbers["trough_high"] == 12


def test_a_spoilt_cache_is_rebuilt(rules: Path, tmp_path: Path) -> None:
    first = load(rules)
    cached(tmp_path)[0].write_bytes(b"half a fil")
    assert load(rules) == first


def test_without_a_cache_folder_it_still_works(rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert load(rules).rules


def test_unsound_rules_are_never_loaded(rules: Path) -> None:
    (rules / "sources.yaml").unlink()
    with pytest.raises(UnsoundRules):
        load(rules)


def hash_of(rules: Path) -> str:
    knowledge = read_folder(rules).knowledge
    assert isinstance(knowledge, Knowledge)
    return knowledge.hash


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        ("trough/trough-low.yaml", "4.9 ng/mL is below the target", "Four point nine is low", False),  # a case's title
        ("trough/trough-low.yaml", "id: trough-low", "# a comment\nid: trough-low", False),
        ("trough/trough-low.yaml", "consider adherence", "think of adherence", True),
        ("protocols/seed-2024.yaml", "value: 10\n", "value: 9\n", True),
        ("definitions.yaml", "adult_age:\n  value: 18", "adult_age:\n  value: 16", True),
        ("valuesets/itp.yaml", "D69.3", "D69.4", True),
    ],
)
def test_the_hash_is_of_the_meaning(rules: Path, file: str, old: str, new: str, changes: bool) -> None:
    before = hash_of(rules)
    path = rules / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert (hash_of(rules) != before) == changes


def test_a_checkout_finds_its_rules() -> None:
    assert shipped_rules() == RULES
    assert load().protocol.id == "seed-2024"


def test_a_change_behind_a_linked_folder_is_seen(rules: Path, tmp_path: Path) -> None:
    """A release may be a folder of links."""
    linked = tmp_path / "linked"
    linked.mkdir()
    for each in rules.iterdir():
        (linked / each.name).symlink_to(each)
    assert load(linked).protocol.numbers["trough_high"] == 15
    seed = rules / "protocols" / "seed-2024.yaml"
    text = seed.read_text(encoding="utf-8")
    seed.write_text(text.replace("trough_high:\n    value: 15", "trough_high:\n    value: 12"), encoding="utf-8")
    assert load(linked).protocol.numbers["trough_high"] == 12
