"""A whole export, by the command: the same as judging everybody alone, and who is counted as what."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.population.judge import ResponseAt, bundle_of, digest, response_at
from tests.charts import Resource, count, day, itp, level, patient, sirolimus
from tests.examples.cohort import COHORT
from tests.population.exports import EVERY, MANY, many_people, of_patient, taker, write
from tests.population.run import cohort, rows, run, summary


@pytest.mark.untraced
def test_everybody_comes_out_as_alone_and_nobody_is_missed(engine: CheckedEngine, tmp_path: Path) -> None:
    people = many_people(MANY)
    assert len(people) > MANY / 4
    out = tmp_path / "out"
    result = run(write(tmp_path / "export", [each for one in people.values() for each in one]), out, at="2024-12-01T20:00:00Z", supplied=EVERY)  # fmt: skip
    assert result.exit_code in (0, 1), result.output
    found = {row["patient"]: row["digest"] for row in rows(out, "patients")}
    alone = {pid: said for pid, resources in people.items() if (said := by_itself(engine, pid, resources)) is not None}
    assert found == alone and len(alone) > len(people) / 3


def by_itself(engine: CheckedEngine, pid: str, resources: list[Resource]) -> str | None:
    """What the cards of one patient say, as 'evaluate' judges them; None for somebody who never took sirolimus."""
    from datetime import UTC, datetime

    body = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}
    try:
        request = read_request(json.dumps(body).encode(), "patient-view", pid)
        advice = advise(request, engine, datetime(2024, 12, 1, 20, tzinfo=UTC), max_cards=99)
    except InputError:
        return None
    taken = advice.situation.chart.orders or advice.situation.chart.intakes
    return digest(advice) if taken else None


def test_the_studys_table_comes_out_of_an_export(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(cohort(tmp_path / "an export"), out).exit_code == 0
    three, six, _ = summary(out)["landmarks"]
    assert (three["overall"]["number"], three["overall"]["of"]) == (12, 20)
    assert [three["responses"][each]["number"] for each in ("complete", "partial")] == [6, 6]
    assert six["responses"]["complete"]["number"] == 6
    table = {row["patient"]: (row["response_3"], row["response_6"]) for row in rows(out, "patients")}
    assert table == {member.pid: (member.at_three, member.at_six) for member in COHORT}


# --- who is counted ------------------------------------------------------------------------------------


def test_the_dead_and_the_stopped_stay_in_the_table(tmp_path: Path) -> None:
    dead = of_patient("dead", patient() | {"deceasedDateTime": day(50)}, itp(), sirolimus("s", day(0), 2, status="stopped", end=day(50)))  # fmt: skip
    stopped = of_patient("stopped", patient(), itp(), sirolimus("s", day(0), 2, status="stopped", end=day(40)))
    new = of_patient("new", patient(), itp(), sirolimus("s", day(150), 2))
    without = taker("without")
    out = tmp_path / "out"
    run(write(tmp_path / "export", [*dead, *stopped, *new, *without]), out, at=f"{day(200)}T20:00:00Z")
    found = {row["patient"]: (row["state"], row["response_3"], row["response_6"]) for row in rows(out, "patients")}
    assert found == {
        "dead": ("died", "died", "died"),
        "stopped": ("stopped", "stopped", "stopped"),
        "new": ("taking", "not reached", "not reached"),
        "without": ("taking", "not evaluable", "not evaluable"),
    }
    assert summary(out)["landmarks"][0]["otherwise"] == {"died": 1, "stopped": 1, "not reached": 1, "not evaluable": 1}


def test_who_stopped_before_a_window_opened_is_counted_so_whatever_counts_say(tmp_path: Path) -> None:
    """Ten days before the window of three months; a count in it is not sirolimus's any more."""
    counts = [count("b", day(-2), 20), count("c1", day(60), 120), count("c2", day(85), 130)]
    order = sirolimus("s", day(0), 2, status="stopped", end=day(66))
    out = tmp_path / "out"
    run(write(tmp_path / "export", of_patient("p", patient(), itp(), order, *counts)), out)
    assert [row["response_3"] for row in rows(out, "patients")] == ["stopped"]


@pytest.mark.parametrize("death", [{"deceasedDateTime": day(120)}, {"deceasedBoolean": True}], ids=["dated", "undated"])
def test_the_dead_keep_their_responses_and_their_place(tmp_path: Path, death: dict[str, Any]) -> None:
    counts = [count("b", day(-2), 20), count("c1", day(82), 120), count("c2", day(91), 130)]
    person = of_patient("p", patient() | death, itp(), sirolimus("s", day(0), 2), *counts)
    out = tmp_path / "out"
    run(write(tmp_path / "export", person), out, at=f"{day(300)}T20:00:00Z")
    [row] = rows(out, "patients")
    assert (row["state"], row["itp"], row["age_group"], row["response_3"], row["response_6"]) == (
        ("died", True, "adult", "complete", "died")
    )
    assert [each["response"] for each in rows(out, "values") if each["day"] in (82, 91)] == ["complete", "complete"]


def test_the_stopped_are_in_the_response_over_time(tmp_path: Path) -> None:
    counts = [count("b", day(-2), 20), count("c1", day(40), 60), count("c2", day(200), 60)]
    order = sirolimus("s", day(0), 2, status="stopped", end=day(90))
    out = tmp_path / "out"
    run(write(tmp_path / "export", of_patient("p", patient(), itp(), order, *counts)), out, at=f"{day(300)}T20:00:00Z")
    assert summary(out)["response_over_time"] == [{"day": 56, "with_count": 1, "complete": 0, "partial": 1}]


def test_a_bound_is_no_number(tmp_path: Path) -> None:
    def bound(rid: str, on: int, mark: str, value: int) -> Resource:
        made = level(rid, day(on, "08:00"), value)
        return made | {"valueQuantity": made["valueQuantity"] | {"comparator": mark}}

    levels = [
        bound("l1", 40, "<", 5),
        bound("l2", 60, "<", 8),
        level("l3", day(80, "08:00"), 9),
        bound("l4", 100, "<", 2),
    ]
    person = of_patient("p", patient(), itp(), sirolimus("s", day(0), 2), *levels)
    out = tmp_path / "out"
    run(write(tmp_path / "export", person), out, at=f"{day(101)}T20:00:00Z")
    found = {row["day"]: (row["comparator"], row["in_target"]) for row in rows(out, "values")}
    assert found == {40: ("<", False), 60: ("<", None), 80: ("", True), 100: ("<", False)}
    assert rows(out, "patients")[0]["trough_ng_ml"] is None
    weeks = {each["week"]: (each["levels"], each["in_target"]) for each in summary(out)["levels_by_week"]}
    assert weeks == {6: (1, 0), 12: (1, 1), 15: (1, 0)}  # what cannot be told is in no row


def test_who_has_no_itp_on_record_is_in_the_alerts_all_the_same(tmp_path: Path) -> None:
    """As where conditions were not exported."""
    person = [each for each in taker("p", level("h", day(180, "08:00"), 25)) if each["resourceType"] != "Condition"]
    out = tmp_path / "out"
    result = run(write(tmp_path / "export", person), out, supplied="Observation")
    assert "Condition was not exported: no patient has ITP on record" in result.output
    assert "p,False," in (out / "alerts.csv").read_text() and "trough-critical" in (out / "alerts.csv").read_text()


def test_a_landmark_is_judged_as_of_its_own_end(tmp_path: Path) -> None:
    """What came months later changes nothing of it."""
    counts = [count("b", day(-2), 20), count("c1", day(82), 120), count("c2", day(91), 130)]
    later = [count("c3", day(300), 5), sirolimus("s2", day(310), 1)]
    out = tmp_path / "out"
    run(write(tmp_path / "export", taker("p", *counts, *later)), out, at=f"{day(320)}T20:00:00Z")
    [row] = rows(out, "patients")
    assert (row["response_3"], row["confirmed_3"], row["closed_3"]) == ("complete", True, True)


def test_who_only_was_named_with_it_is_no_member(tmp_path: Path) -> None:
    gel = sirolimus("s", day(0), 2) | {"medicationCodeableConcept": {"text": "sirolimus 0.1 % gel"}}
    other = of_patient("other", patient(), itp(), gel)
    transplanted = of_patient("transplanted", patient(), sirolimus("s", day(0), 2))
    out = tmp_path / "out"
    run(write(tmp_path / "export", [*other, *transplanted, *taker("p")]), out)
    assert {row["patient"]: row["itp"] for row in rows(out, "patients")} == {"transplanted": False, "p": True}
    people = summary(out)["people"]
    assert (people["ever on oral sirolimus"], people["of them with ITP on record"]) == (2, 1)
    assert people["named with it and never on it"] == 1 and sum(summary(out)["states"].values()) == 1


def test_types_that_were_not_exported_are_named_once(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(write(tmp_path / "export", taker("p")), out, supplied="Procedure")
    assert (
        "not exported, so that nothing is known of them: MedicationAdministration, MedicationStatement" in result.output
    )
    assert "Procedure" not in summary(out)["missing"] and "Appointment" in summary(out)["missing"]


def test_the_response_on_a_day_is_told_by_what_was_on_record_then(knowledge: Knowledge) -> None:
    counts = [count("b", day(-2), 20), count("c1", day(60), 45), count("c2", day(82), 120), count("c3", day(91), 130)]
    request = read_request(bundle_of(json.dumps(each).encode() for each in taker("p", *counts)), "patient-view", "p")
    told = {on: response_at(request, knowledge, date.fromisoformat(day(on))) for on in (10, 60, 82, 95)}
    assert told == {
        10: ResponseAt("", False, None),
        60: ResponseAt("partial", False, 60),
        82: ResponseAt("complete", False, 82),
        95: ResponseAt("complete", True, 91),
    }


@pytest.mark.parametrize("length", [64, 65, 100, 300])
def test_ids_that_are_longer_than_fhir_allows_are_found_in_every_line(tmp_path: Path, length: int) -> None:
    out = tmp_path / "out"
    run(write(tmp_path / "export", taker("p" * length, level("h", day(180, "08:00"), 25))), out)
    assert [row["critical"] for row in rows(out, "patients")] == [1]


def test_a_type_that_is_there_was_exported_whatever_the_files_are_called(tmp_path: Path) -> None:
    export = write(tmp_path / "export", taker("p"))
    everything = b"".join(each.read_bytes() for each in sorted(export.iterdir()))
    for each in list(export.iterdir()):
        each.unlink()
    (export / "part-0.ndjson").write_bytes(everything)
    out, other = tmp_path / "out", tmp_path / "other"
    run(export, out, supplied="Procedure")
    run(write(tmp_path / "apart", taker("p")), other, supplied="Procedure")
    assert rows(out, "patients") == rows(other, "patients")
