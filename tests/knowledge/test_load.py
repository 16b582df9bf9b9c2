"""Knowledge is compiled once, follows every change, and carries the hash of its meaning."""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from cds.authoring.scenarios import scenarios_of
from cds.compiled.knowledge import Knowledge
from cds.knowledge.cache import cache_file
from cds.knowledge.load import UnsoundRules, load, shipped_rules
from cds.knowledge.read import read_folder
from cds.knowledge.tree import Fault
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


def planted(rules: Path) -> bytes:
    """The content of a cache file, whole and well-formed, by which another dose would be advised."""
    other = load(rules, cached=False)
    content = msgspec.msgpack.encode(msgspec.structs.replace(other, rules=(), hash="0" * 64))
    return sha256(content).digest() + content


@pytest.mark.parametrize(
    "name", ["growth.csv", "withhold.yaml", "valuesets/condition_codes.csv", "words/problems.yaml"]
)
def test_a_change_of_any_file_is_another_cache(rules: Path, name: str) -> None:
    before = cache_file([rules], "")
    path = rules / name
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert before is not None and cache_file([rules], "") != before


def test_what_comes_from_a_cache_that_somebody_else_may_write_is_not_believed(rules: Path, tmp_path: Path) -> None:
    first = load(rules)
    (file,) = cached(tmp_path)
    file.write_bytes(planted(rules))
    assert load(rules).rules == ()  # ours alone: believed
    file.chmod(0o666)
    assert load(rules) == first
    file.write_bytes(planted(rules))
    file.chmod(0o600)
    file.parent.chmod(0o777)
    assert load(rules) == first


def test_a_file_of_another_user_is_not_believed(rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(rules)
    cached(tmp_path)[0].write_bytes(planted(rules))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert load(rules) == first


def test_a_link_in_the_cache_is_not_followed(rules: Path, tmp_path: Path) -> None:
    first = load(rules)
    (file,) = cached(tmp_path)
    (tmp_path / "elsewhere").write_bytes(planted(rules))
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    assert load(rules) == first


def test_a_pipe_in_the_cache_holds_nobody_up(rules: Path, tmp_path: Path) -> None:
    first = load(rules)
    (file,) = cached(tmp_path)
    file.unlink()
    os.mkfifo(file)
    assert load(rules) == first


@pytest.mark.parametrize("at", [0, 40, -1])
def test_one_bit_that_flipped_is_noticed(rules: Path, tmp_path: Path, at: int) -> None:
    first = load(rules)
    (file,) = cached(tmp_path)
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    assert load(rules) == first


def test_half_a_cache_file_is_rebuilt(rules: Path, tmp_path: Path) -> None:
    first = load(rules)
    cached(tmp_path)[0].write_bytes(b"half a fil")
    assert load(rules) == first


def test_without_a_home_there_is_no_cache(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", nowhere)
    assert load(rules).rules


def test_what_is_not_to_be_cached_neither_reads_nor_writes_it(rules: Path, tmp_path: Path) -> None:
    first = load(rules, cached=False)
    assert cached(tmp_path) == []
    load(rules)
    cached(tmp_path)[0].write_bytes(planted(rules))
    assert load(rules, cached=False) == first


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


@pytest.mark.untraced
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


@pytest.mark.slow
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


def test_a_pipe_and_a_huge_file_among_the_rules_are_faults_at_once(rules: Path) -> None:
    os.mkfifo(rules / "trough" / "pipe.yaml")
    with (rules / "trough" / "huge.yaml").open("wb") as file:
        file.truncate(900_000_000)
    with pytest.raises(UnsoundRules) as unsound:
        load(rules)
    assert unsound.value.faults == [
        "rules/trough/huge.yaml:1: is larger than a rule file may be (1 MB)",
        "rules/trough/pipe.yaml:1: is no regular file",
    ]


def test_what_a_link_out_of_the_folder_leads_to_is_not_printed(rules: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("zztop-7741:\n  - zztop\n")
    for name in ("trough/linked.yaml", "scenarios/linked.yaml", "words/linked.yaml"):
        (rules / name).symlink_to(secret)
    with pytest.raises(UnsoundRules) as unsound:
        load(rules)
    assert "rules/trough/linked.yaml:1: is wrong, and a link out of the folder" in str(unsound.value)
    found: list[Fault] = []
    scenarios_of(rules, found)
    assert "rules/scenarios/linked.yaml:1: is wrong, and a link out of the folder" in str(found[0])
    assert "zztop" not in str(unsound.value) + str(found)
    (rules / "protocols" / "seed-2024.yaml").unlink()
    (rules / "protocols" / "seed-2024.yaml").symlink_to(secret)
    with pytest.raises(UnsoundRules) as unsound:
        load(rules, "seed-2024")
    assert "rules/protocols/seed-2024.yaml:1: is wrong, and a link out of the folder" in str(unsound.value)
    assert "zztop" not in str(unsound.value)
