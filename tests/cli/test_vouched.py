"""Signatures by a key: where a site names its allowed signers, a reviews.yaml that somebody wrote by hand counts for nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds.authoring import check
from cds.authoring.check import Report
from cds.cli.main import main
from cds.knowledge.load import UnsoundRules, load
from tests.conftest import RULES

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs OpenSSH's ssh-keygen")
WHO = ("--by", "A reviewer of the tests", "--role", "haematologist", "--on", "2026-01-31")


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A rules folder with a signed rule, in a folder with a space in its name."""
    monkeypatch.setattr(check, "check_folder", lambda *_: Report())
    folder = Path(shutil.copytree(RULES, tmp_path / "our own" / "rules"))
    signed = CliRunner().invoke(main, ["sign", "--rules", str(folder), *WHO, "trough-low"])
    assert signed.exit_code == 0, signed.output
    return folder


def key(folder: Path, name: str) -> Path:
    made = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", made], check=True)
    return made


def sign_file(rules: Path, with_key: Path, namespace: str = "sirolimus-itp-cds") -> None:
    file = rules / "reviews.yaml"
    file.with_name("reviews.yaml.sig").unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", with_key, "-n", namespace, file], check=True)


@pytest.fixture
def signers(tmp_path: Path) -> Path:
    """The allowed signers: one name, one key."""
    public = key(tmp_path, "ours").with_suffix(".pub").read_text()
    (tmp_path / "allowed_signers").write_text(f"head@hospital.example,second@hospital.example {public}")
    return tmp_path / "allowed_signers"


def refused(rules: Path, signers: Path) -> str:
    with pytest.raises(UnsoundRules) as unsound:
        load(rules, cached=False, signers=signers)
    (fault,) = unsound.value.faults
    return fault


@pytest.mark.slow
def test_a_file_that_a_key_of_the_list_signed_counts(rules: Path, signers: Path, tmp_path: Path) -> None:
    sign_file(rules, tmp_path / "ours")
    assert load(rules, cached=False, signers=signers).rule("trough-low").status == "active"


def test_without_a_list_a_line_of_text_is_enough(rules: Path) -> None:
    assert load(rules, cached=False).rule("trough-low").status == "active"


def test_a_file_without_a_signature_does_not_count(rules: Path, signers: Path) -> None:
    said = "rules/reviews.yaml:1: there is no reviews.yaml.sig to hold it against"
    assert refused(rules, signers) == said


NOT_ITS = (
    "rules/reviews.yaml:1: reviews.yaml.sig is not the signature of this file by a key of allowed_signers "
    "(namespace sirolimus-itp-cds)"
)


@pytest.mark.slow
def test_another_key_another_purpose_and_a_changed_file_do_not_count(
    rules: Path, signers: Path, tmp_path: Path
) -> None:
    sign_file(rules, key(tmp_path, "another"))
    assert refused(rules, signers) == NOT_ITS
    sign_file(rules, tmp_path / "ours", namespace="git")
    assert refused(rules, signers) == NOT_ITS
    sign_file(rules, tmp_path / "ours")
    file = rules / "reviews.yaml"
    file.write_text(file.read_text().replace("A reviewer of the tests", "Somebody else"))
    assert refused(rules, signers) == NOT_ITS


@pytest.mark.slow
def test_the_commands_ask_for_it_and_say_when_it_must_be_made_anew(rules: Path, signers: Path, tmp_path: Path) -> None:
    asked = CliRunner().invoke(main, ["check", str(rules), "--signers", str(signers)])
    assert asked.exit_code == 1 and "there is no reviews.yaml.sig" in asked.output
    sign_file(rules, tmp_path / "ours")
    assert CliRunner().invoke(main, ["check", str(rules), "--signers", str(signers)]).exit_code == 0
    again = CliRunner().invoke(main, ["sign", "--rules", str(rules), *WHO, "trough-high"])
    assert "it must be signed with the key again: ssh-keygen -Y sign" in again.stderr


def test_where_ssh_keygen_is_missing_nothing_counts(
    rules: Path, signers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_file(rules, tmp_path / "ours")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "ssh-keygen (OpenSSH) is needed" in refused(rules, signers)


def test_a_service_with_a_list_does_not_start_over_a_file_that_nobody_signed(
    rules: Path, signers: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'rules = "{rules}"\nactive_only = true\nsigners = "{signers}"\n')
    begun = CliRunner().invoke(main, ["serve", "--config", str(settings)])
    assert begun.exit_code == 2 and "there is no reviews.yaml.sig" in begun.stderr
