"""docs/authoring.md, command by command, as a site would follow it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

COMMANDS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the page needs of a checkout, in a folder with a space in its name."""
    folder = tmp_path / "a checkout"
    for part in ("rules", "fhir_examples"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


def test_every_command_of_the_page_does_what_it_says(checkout: Path) -> None:
    environ = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    said = []
    for command in COMMANDS:
        ended = subprocess.run(["sh", "-ec", command], cwd=checkout, env=environ, capture_output=True, text=True)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
        said.append(ended.stdout)
    _, _, _, scenario, check, compared, proved, tests, _, evidence, signed, vouched, service = said
    assert scenario.splitlines() == ["day 21, patient-view: as expected", "day 29, patient-view: as expected"]
    assert re.search(r"^\d+ rules, \d+ cases, \d+ scenario days, \d+ mutants: sound$", check, re.MULTILINE)
    assert "trough-low" in compared and compared.splitlines()[-1] == "64 judged by both: 9 differ"
    assert "-> Our hospital, after Feng 2024 with a level of 6 to 15" in compared.splitlines()[0]
    assert "trough-low: does not hold -> warning on patient-view, order-select, order-sign, where" in proved
    assert "trough >= 5 and < 6 ng/mL" in proved and "trough_low: 5 -> 6" in proved
    assert "sentences to look for in" in evidence
    assert signed.startswith("trough-low: signed under our-hospital as it is now (")
    assert ": sound" in vouched
    proof = " ".join((checkout / "our-proof.md").read_text(encoding="utf-8").split())
    counted = re.search(
        r"(\d+) numbers of definitions and protocols, (\d+) pinned on both sides. \*\*Sound.\*\*", proof
    )
    assert counted is not None and counted[1] == counted[2]
    assert re.search(r"\b\d{3,} passed", tests) and "failed" not in tests
    page = (checkout / "our-rules.md").read_text(encoding="utf-8")
    assert "This hospital keeps the level between 6 and 15 ng/mL." in page and "`our-hospital`" in page
    assert "below the target of\n  6-15 ng/mL" in service
    card = " ".join(service.split())
    assert "Protocol: Our hospital, after Feng 2024 with a level of 6 to 15" in card
    assert "Decision of our hospital's drug committee" in card
    assert '"protocol": "our-hospital"' in service and '"overlays": [\n    "ours"\n  ]' in service
