"""What a condition is: by any of its codes in any edition, by the beginning of a code, and last by its name."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from cds.chart.codes import meanings
from cds.chart.model import Problem
from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.chart.wire import Coding
from cds.compiled.knowledge import Knowledge
from tests.charts import SNOMED, Resource, as_bytes, bundle, condition, day, patient
from tests.judge import now_on

CM = "http://hl7.org/fhir/sid/icd-10-cm"
WHO = "http://hl7.org/fhir/sid/icd-10"
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
EDITIONS = (CM, WHO, GM)
ICD_11 = "http://id.who.int/icd/release/11/mms"
CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"


def problems(knowledge: Knowledge, resource: Resource) -> list[Problem]:
    request = read_request(as_bytes(bundle(patient(), resource)))
    return read_chart(request, knowledge, now_on(20)).problems


def names(knowledge: Knowledge, system: str, code: str) -> set[str]:
    """What an active condition under this one code is."""
    return {each.name for each in problems(knowledge, condition("c", code, day(10), system=system))}


def called(text: str, **more: Any) -> Resource:
    """A condition that only has a name."""
    return condition("c", "", day(10)) | {"code": {"text": text} | more}


@pytest.mark.parametrize(
    "system",
    ["urn:our-hospital:icd-10-local", "https://our-hospital.example/codes|2024", "http://snomed.info/sct/99/ours"],
)
def test_a_code_system_of_a_site_is_read_by_the_address_that_it_was_given(knowledge: Knowledge, system: str) -> None:
    """Whatever it looks like: to be a spelling of a public one is for addresses that no value set names."""
    sepsis = next(each for several in knowledge.codes[SNOMED].values() for each in several if each.name == "sepsis")
    ours = replace(knowledge, codes=knowledge.codes | {system: {"X1": (sepsis,)}})
    assert names(ours, system, "X1") == {"sepsis"}
    assert meanings(ours, Coding(system=system, code="X1")) == (sepsis,)


@pytest.mark.parametrize("system", EDITIONS)
@pytest.mark.parametrize("code", ["D69.3", "D693", "d69.3"])
def test_icd_10_with_and_without_its_dot(knowledge: Knowledge, system: str, code: str) -> None:
    assert names(knowledge, system, code) == {"itp"}


@pytest.mark.parametrize(
    ("code", "cm", "who", "gm"),
    [
        ("T78.3XXA", {"angioedema"}, {"angioedema"}, {"angioedema"}),
        ("T78.3XXD", {"angioedema-past"}, {"angioedema"}, {"angioedema"}),  # a later encounter, in CM alone
        ("C81.9A", set(), {"malignancy"}, {"malignancy"}),  # in remission, in CM alone
        ("C91.01", set(), {"malignancy"}, set()),  # in remission, but WHO has no fifth place
        ("K31.81", set(), set(), set()),
        ("K31.82", {"bleeding-gut"}, set(), {"bleeding-gut"}),
        ("K55.22", set(), set(), {"bleeding-gut"}),
        ("Z32.01", {"pregnant"}, set(), set()),
        ("Z32.1", set(), {"pregnant"}, set()),
        ("I21.A1", set(), {"thrombosis"}, {"thrombosis"}),  # of demand, in CM alone
    ],
)  # fmt: skip
def test_the_editions_of_icd_10_differ(
    knowledge: Knowledge, code: str, cm: set[str], who: set[str], gm: set[str]
) -> None:
    assert [names(knowledge, system, code) for system in EDITIONS] == [cm, who, gm]


@pytest.mark.parametrize("system", EDITIONS)
@pytest.mark.parametrize(
    ("code", "name"), [("C50.9", "malignancy"), ("C50.912", "malignancy"), ("C44.3", "skin-cancer"), ("I26.99", "thrombosis"),
                       ("O26.8", "pregnant"), ("O80", "pregnancy-ended"), ("Z33", "pregnant")]
)  # fmt: skip
def test_a_code_counts_by_its_beginning(knowledge: Knowledge, system: str, code: str, name: str) -> None:
    assert names(knowledge, system, code) == {name}


@pytest.mark.parametrize(
    ("system", "code"),
    [
        *((system, code) for system in EDITIONS for code in ("D69.4", "D69.6", "Z85.3", "Z86.0", "Z80.3", "D05.1", "I25.2", "Z20.5", "I82.1")),
        (CM, "D69.49"), (CM, "Z86.711"), (CM, "Z86.2"), (CM, "I82.501"), (WHO, "D69"), (SNOMED, "302215000"), (SNOMED, "429087003"),
    ],
)  # fmt: skip
def test_a_near_code_is_none(knowledge: Knowledge, system: str, code: str) -> None:
    assert names(knowledge, system, code) == set()


def test_snomed_and_icd_11_count_too(knowledge: Knowledge) -> None:
    assert names(knowledge, SNOMED, "32273002") == {"itp"}
    assert names(knowledge, "http://snomed.info/sct/11000274103/version/20240515", "2897005") == {"itp"}
    assert names(knowledge, ICD_11, "3B64.10") == {"itp"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("2C6Z", {"malignancy"}), ("2B90.Z", {"malignancy"}), ("2C25.Z", {"malignancy"}), ("2A81.Z", {"malignancy"}),
        ("2A60.3Z", {"malignancy"}), ("2B30.1Z", {"malignancy"}), ("2C30.Z", {"malignancy"}), ("2D70", {"malignancy"}),
        ("2C32.Z", {"skin-cancer"}), ("2A01.00", {"malignancy"}), ("2A82.00", {"malignancy", "secondary"}),
        ("2A01.0Z", set()), ("2A83.0", set()), ("2E61.0", set()), ("QC40.3", set()),
        ("QA41", {"pregnant"}), ("QA43.Z", {"pregnant"}), ("JA60.1", {"pregnant"}), ("JA61.3", {"pregnant", "thrombosis"}),
        ("JA00.09", {"pregnancy-ended"}), ("JB20.Z", {"pregnancy-ended"}), ("QA46.0", {"pregnancy-ended"}), ("QA40", set()),
        ("EB04", {"angioedema"}), ("4A00.14", set()),
        ("BD71.4", {"thrombosis"}), ("BB00.0", {"thrombosis"}), ("BB00.1", set()), ("8B11.5Z", {"thrombosis"}),
        ("1F23.3Y", {"lasting-infection"}), ("1F23.0", set()), ("1D01.0Z", {"serious-infection"}), ("CA40.07", {"serious-infection"}),
        ("CA40.20", {"lasting-infection"}), ("1B14", set()), ("1G41", {"sepsis"}), ("DA01.11", {"stomatitis"}),
        ("CA82.2", {"pneumonitis"}), ("CB03.4", {"pneumonitis"}), ("CB07.Z", set()),
        ("8B00.1", {"bleeding-life"}), ("ME24.A4", {"bleeding-gut"}), ("ME24.A1", {"bleeding"}), ("ME64.3", {"skin-bleeding"}),
        ("1C62.Z", {"secondary"}), ("1E51.1", {"secondary"}), ("4A40.0Z", {"secondary"}),
    ],
)  # fmt: skip
def test_icd_11_counts_by_its_beginning(knowledge: Knowledge, code: str, expected: set[str]) -> None:
    assert names(knowledge, ICD_11, code) == expected


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [("2C6Z&XH74S5", {"malignancy"}), ("DA60.Z/ME24.90", {"bleeding-gut"}), ("CA40.0Z&XN3NM/1G40", {"serious-infection", "sepsis"}),
     ("3B64.10/QC40.3", {"itp"}), ("/", set()), ("&", set())],
)  # fmt: skip
def test_an_icd_11_cluster_is_read_stem_by_stem(knowledge: Knowledge, cluster: str, expected: set[str]) -> None:
    assert names(knowledge, ICD_11, cluster) == expected


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        ("http://hl7.org/fhir/sid/icd-10-nl", "A41.9", {"sepsis"}), ("http://terminology.hl7.org/CodeSystem/icd10-CN", "A41.9", {"sepsis"}),
        ("https://smt.esante.gouv.fr/terminologie-cim-10", "A41.9", {"sepsis"}), ("http://hl7.org/fhir/sid/icd-10-gm", "K55.22", {"bleeding-gut"}),
        ("http://hl7.org/fhir/sid/icd-10-pcs", "A41.9", set()), ("http://www.cms.gov/Medicare/Coding/ICD10", "A41.9", set()),
    ],
)  # fmt: skip
def test_icd_10_of_any_country(knowledge: Knowledge, system: str, code: str, expected: set[str]) -> None:
    assert names(knowledge, system, code) == expected


def test_a_code_of_snomed_that_is_not_listed_is_known_by_its_name_unless_it_is_known_to_be_another(
    knowledge: Knowledge,
) -> None:
    def said(system: str, code: str, display: str) -> list[str]:
        coding = {"system": system, "code": code, "display": display}
        return [each.name for each in problems(knowledge, condition("c", "", day(10)) | {"code": {"coding": [coding]}})]

    assert said(SNOMED, "999000111", "Bacterial sepsis") == ["sepsis"]
    assert said(SNOMED, "999000111", "Screening for sepsis") == []
    assert said(SNOMED, "429087003", "Malignant neoplasm of breast") == []  # near: it is in the history
    assert said(CM, "Z99.9", "Sepsis") == []  # beginnings cover ICD-10 whole


@pytest.mark.parametrize("release", ["2024-01/mms", "2025-01/mms", "mms/"])
def test_icd_11_under_any_of_its_releases(knowledge: Knowledge, release: str) -> None:
    assert names(knowledge, f"http://id.who.int/icd/release/11/{release}", "QA41") == {"pregnant"}


def test_evans_syndrome_is_no_primary_itp(knowledge: Knowledge) -> None:
    (evans,) = problems(knowledge, condition("c", "D69.41", day(10), system=CM))
    assert (evans.name, evans.also) == ("secondary", "evans")


def test_any_of_several_codings_counts_and_each_meaning_once(knowledge: Knowledge) -> None:
    codings = [{"system": "urn:local", "code": "77"}, {"system": CM, "code": "D69.6"}, {"system": SNOMED, "code": "32273002"},
               {"system": GM, "code": "D69.3"}]  # fmt: skip
    (itp,) = problems(knowledge, condition("c", "", day(10)) | {"code": {"coding": codings}})
    assert (itp.name, itp.active) == ("itp", True) and "by its name" not in itp.display


@pytest.mark.parametrize(
    ("element", "word", "expected"),
    [
        ("verificationStatus", "refuted", []), ("verificationStatus", "entered-in-error", []), ("verificationStatus", "unconfirmed", [True]),
        ("clinicalStatus", "resolved", [False]), ("clinicalStatus", "remission", [False]), ("clinicalStatus", "relapse", [True]),
        ("clinicalStatus", "unknown", [True]), ("clinicalStatus", "under observation", []),
    ],
)  # fmt: skip
def test_what_is_not_so_is_none_and_what_is_over_is_not_active(
    knowledge: Knowledge, element: str, word: str, expected: list[bool]
) -> None:
    read = problems(knowledge, condition("c", "32273002", day(10)) | {element: {"coding": [{"code": word}]}})
    assert [each.active for each in read] == expected


@pytest.mark.parametrize(("letter", "expected"), [("A", []), ("Z", [False]), ("G", [True]), ("V", [True])])
def test_the_german_certainty_of_a_diagnosis(knowledge: Knowledge, letter: str, expected: list[bool]) -> None:
    coding = {"system": GM, "code": "I26.9", "extension": [{"url": CERTAINTY, "valueCoding": {"code": letter}}]}
    read = problems(knowledge, condition("c", "", day(10)) | {"code": {"coding": [coding]}})
    assert [each.active for each in read] == expected


@pytest.mark.parametrize("status", ["unconfirmed", "provisional", "differential"])
def test_a_suspicion_counts_and_is_marked_but_ends_no_pregnancy(knowledge: Knowledge, status: str) -> None:
    suspected = {"verificationStatus": {"coding": [{"code": status}]}}
    (clot,) = problems(knowledge, condition("c", "I26.9", day(10), system=CM) | suspected)
    assert clot.active and clot.display.endswith("(suspected)")
    assert not problems(knowledge, condition("c", "O03.9", day(10), system=CM) | suspected)


def test_the_history_of_a_family_is_nobodys_condition(knowledge: Knowledge) -> None:
    code = {"coding": [{"system": CM, "code": "C50.9"}]}
    family = {
        "resourceType": "FamilyMemberHistory",
        "id": "f",
        "status": "completed",
        "patient": {"reference": "Patient/itp-1"},
    }
    assert not problems(knowledge, family | {"condition": [{"code": code}]})  # fmt: skip
    assert not problems(knowledge, called("Family history of breast cancer"))


@pytest.mark.parametrize(
    "text",
    ["Immune thrombocytopenia", "chronic ITP", "Immunthrombozytopenie", "Thrombopénie immunologique", "Trombocitopenia inmune primaria",
     "Púrpura trombocitopénica idiopática", "免疫性血小板减少症", "Morbus Werlhof, Erstdiagnose 2020"],
)  # fmt: skip
def test_a_condition_without_a_code_is_known_by_its_name_and_marked_so(knowledge: Knowledge, text: str) -> None:
    for said in (called(text), called("", coding=[{"system": "urn:local", "code": "9", "display": text}])):
        (itp,) = problems(knowledge, said)
        assert (itp.name, itp.display) == ("itp", "Immune thrombocytopenia (by its name)")


def test_under_a_code_of_a_known_system_the_name_says_nothing(knowledge: Knowledge) -> None:
    assert not problems(knowledge, called("ITP", coding=[{"system": CM, "code": "D69.6"}]))
