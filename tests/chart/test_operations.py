"""Operations, transfusions and infusions by the codes and names that hospitals give them."""

from __future__ import annotations

import pytest

from cds.chart.operations import done
from cds.chart.wire import CodeableConcept, Coding
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from tests.charts import Resource, count, day, sirolimus, subject
from tests.judge import fact, judge, topics

OPS, CPT, PCS = (
    "http://fhir.de/CodeSystem/bfarm/ops",
    "http://www.ama-assn.org/go/cpt",
    "http://www.cms.gov/Medicare/Coding/ICD10",
)
ORDER = sirolimus("s", day(0), 2)


def procedure(on: int, text: str = "", system: str = "urn:local", code: str = "X1") -> Resource:
    coding = {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})
    return {"resourceType": "Procedure", "id": "p", "status": "completed", "subject": subject(),
            "performedDateTime": day(on), "code": coding}  # fmt: skip


@pytest.mark.parametrize(
    ("system", "code", "text", "meant"),
    [
        (OPS, "5-820.00", "", "surgery"),
        (OPS, "5-413.10", "", "splenectomy"),
        (OPS, "5-413.00", "Splenektomie, partiell", "surgery"),
        (OPS, "5-986.x", "", None),
        (OPS, "8-800.g1", "", "platelet-transfusion"),
        (OPS, "8-810.w3", "", "immunoglobulin"),
        (OPS, "3-225", "CT", None),
        (PCS, "0SR9019", "", "surgery"),
        (PCS, "07DR3ZX", "Bone marrow biopsy", None),
        (CPT, "47562", "Laparoscopic cholecystectomy", "surgery"),
        ("urn:local", "SPL", "SPLENECTOMY", "splenectomy"),
        ("", "", "Laparoskopische Splenektomie", "splenectomy"),
        ("", "", "Partial splenectomy", "surgery"),
        ("", "", "Partial nephrectomy", "surgery"),
        ("", "", "Suspected platelet transfusion reaction", None),
        ("", "", "Platelet transfusion", "platelet-transfusion"),
        ("", "", "血小板输注", "platelet-transfusion"),
        (CPT, "36430", "TRANSFUSE PLATELETS 1 UNIT", "platelet-transfusion"),
        (CPT, "36430", "Transfusion of red cells", None),
        ("", "", "Gabe eines Thrombozytenkonzentrats", "platelet-transfusion"),
        (PCS, "30233S1", "", "immunoglobulin"),
        (PCS, "30233N1", "", None),
        ("", "", "腹腔镜胆囊切除术", "surgery"),
        ("", "", "胆囊切除术后复查", None),
        ("", "", "Hüft-TEP rechts", "surgery"),
        ("", "", "Gabe von Human-Immunglobulin, polyvalent", "immunoglobulin"),
        ("", "", "Immunoglobulin measurement", None),
        ("", "", "Knee surgery", "surgery"),
        ("", "", "Post-surgery follow-up visit", None),
        ("", "", "Nachsorge nach Hüft-TEP", None),
    ],
)
def test_what_a_procedure_means(knowledge: Knowledge, system: str, code: str, text: str, meant: str | None) -> None:
    concept = CodeableConcept([Coding(system, code)] if code else None, text or None)
    found = done(concept, knowledge)
    by_name = {"splenectomy", "platelet-transfusion"}
    assert (found and (found.name if found.name in by_name else found.valueset)) == meant


@pytest.mark.parametrize(
    "given",
    [procedure(83, "Platelet transfusion"), procedure(80, system=OPS, code="8-810.w3"), procedure(70, "Splenectomy")],
)
def test_a_count_after_it_is_no_response_to_sirolimus(engine: CheckedEngine, given: Resource) -> None:
    counts = [count("a", day(-2), 14), count("b", day(84), 120), count("c", day(86), 130)]
    assert "responseComplete" in topics(judge(engine, 90, ORDER, *counts))
    assert "responseComplete" not in topics(judge(engine, 90, ORDER, *counts, given))


def test_a_wound_keeps_a_rise_from_being_offered(engine: CheckedEngine) -> None:
    assert fact(judge(engine, 90, ORDER, procedure(80, "Hüft-TEP rechts")), "days_since_surgery") == 10


@pytest.mark.parametrize(
    ("said", "planned"),
    [
        ({"code": {"text": "Laparoskopische Cholezystektomie"}}, True),
        ({"code": {"text": "Consult to general surgery"}, "category": [{"text": "Surgery"}]}, False),
        ({"code": {"text": "Referral"}, "category": [{"text": "Surgery"}]}, False),
        ({"code": {"text": "Elective procedure"}, "category": [{"text": "Splenectomy"}]}, True),
        ({"code": {"text": "Suivi après cholécystectomie"}}, False),
    ],
)
def test_an_operation_that_is_ordered_by_name(engine: CheckedEngine, said: Resource, planned: bool) -> None:
    order = {"resourceType": "ServiceRequest", "id": "r", "status": "active", "intent": "order", "subject": subject(),
             "authoredOn": day(60), "occurrenceDateTime": day(70)} | said  # fmt: skip
    assert ("surgeryPlanned" in topics(judge(engine, 62, ORDER, order))) == planned
