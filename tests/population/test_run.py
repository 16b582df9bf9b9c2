"""A whole export, by the command: the same as judging everybody alone, and right or named where the export is odd."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from cds.advise import advise
from cds.chart.body import InputError
from cds.chart.request import read_request
from cds.cli.main import main
from cds.compiled.knowledge import Knowledge
from cds.engine import CheckedEngine
from cds.population import workers
from cds.population.judge import ResponseAt, bundle_of, digest, response_at
from tests.charts import PATIENT, Resource, count, day, itp, level, patient, sirolimus
from tests.conftest import LONG
from tests.examples.cohort import COHORT
from tests.oracle.charts import chart
from tests.population.exports import AT, EVERY, of_patient, taker, write

MANY = 10_000 if LONG else 200


def run(export: Path, out: Path, *more: str, at: str = AT, supplied: str = EVERY, workers: int = 1) -> Result:
    """The command; with one worker it is all in this process."""
    return CliRunner().invoke(
        main,
        [
            "population",
            str(export),
            "-o",
            str(out),
            "--at",
            at,
            "--supplied",
            supplied,
            "--workers",
            str(workers),
            *more,
        ],
    )


def rows(out: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(out / f"{table}.parquet").to_pylist()
    return found


def summary(out: Path) -> Any:
    return json.loads((out / "summary.json").read_text())


def cohort(folder: Path) -> Path:
    return write(folder, [each for member in COHORT for each in of_patient(member.pid, *(entry["resource"] for entry in member.chart()["entry"]))])  # fmt: skip


# --- the same as everywhere --------------------------------------------------------------------------


@pytest.mark.untraced
def test_everybody_comes_out_as_alone_and_nobody_is_missed(engine: CheckedEngine, tmp_path: Path) -> None:
    people: dict[str, list[Resource]] = {}
    for number in range(MANY):
        body, _ = chart(number)
        resources = [each["resource"] for each in body["entry"]] if "entry" in body else []
        pid = next((each["id"] for each in resources if each["resourceType"] == "Patient"), "")
        if pid:
            text = json.dumps(resources).replace(f"Patient/{pid}", f"Patient/p{number}")
            people[f"p{number}"] = json.loads(text.replace(f'"id": "{pid}"', f'"id": "p{number}"'))
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
    assert "Condition was not exported: nobody has ITP on record" in result.output
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


# --- odd exports ------------------------------------------------------------------------------------------


def test_lines_that_cannot_be_read_are_named_and_stop_nothing(tmp_path: Path) -> None:
    export = write(tmp_path / "export", taker("p"))
    with (export / "Observation.ndjson").open("a") as file:
        file.write('{"resourceType": "Observation", "subject": {"reference": "Patient/p"}, \n[1]\nletter\n')
    out = tmp_path / "out"
    result = run(export, out)
    assert result.exit_code == 1 and len(rows(out, "patients")) == 1
    faults = [json.loads(line) for line in (out / "faults.ndjson").read_text().splitlines()]
    assert [(each["file"], each["line"]) for each in faults] == [("Observation.ndjson", line) for line in (2, 3, 4)]
    assert "letter" not in (out / "faults.ndjson").read_text()


def test_a_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    export = write(tmp_path / "export", [each for number in range(300) for each in taker(f"p{number}")])
    plain = export / "Condition.ndjson"
    content = gzip.compress(plain.read_bytes())
    (export / "Condition.ndjson.gz").write_bytes(content[: len(content) // 2])
    plain.unlink()
    out = tmp_path / "out"
    assert run(export, out).exit_code == 1 and len(rows(out, "patients")) == 300
    [fault] = [json.loads(line) for line in (out / "faults.ndjson").read_text().splitlines()]
    assert fault["file"] == "Condition.ndjson.gz" and "what follows is missing" in fault["reason"]


def test_versions_duplicates_and_absolute_references(engine: CheckedEngine, tmp_path: Path) -> None:
    old = level("l", day(100, "08:00"), 22) | {"meta": {"versionId": "1"}}
    new = level("l", day(100, "08:00"), 8) | {"meta": {"versionId": "2"}}
    text = json.dumps(of_patient("p", patient(), itp(), sirolimus("s", day(0), 2), old, new, new))
    resources = json.loads(text.replace('"Patient/p"', '"https://fhir.example/r4/Patient/p/_history/4"'))
    out = tmp_path / "out"
    assert run(write(tmp_path / "export", resources), out, at=f"{day(101)}T20:00:00Z").exit_code == 0
    [row] = rows(out, "patients")
    assert (row["trough_ng_ml"], row["critical"]) == (8.0, 0)


def test_orders_that_point_to_medications_in_another_file(tmp_path: Path) -> None:
    order = sirolimus("s", day(0), 2)
    concept = order.pop("medicationCodeableConcept")
    order["medicationReference"] = {"reference": "Medication/m"}
    medication = {"resourceType": "Medication", "id": "m", "code": concept}
    out = tmp_path / "out"
    run(
        write(tmp_path / "export", [*of_patient("p", patient(), itp(), order), medication]),
        out,
        at=f"{day(10)}T20:00:00Z",
    )
    [row] = rows(out, "patients")
    assert row["dose_mg_day"] == 2.0


def test_a_patient_who_contradicts_themself_is_named_and_the_others_are_judged(tmp_path: Path) -> None:
    twice = [*taker("q"), patient(born="1950-01-01", pid="q")]
    out = tmp_path / "out"
    assert run(write(tmp_path / "export", [*taker("p"), *twice]), out).exit_code == 1
    assert [row["patient"] for row in rows(out, "patients")] == ["p"]
    [fault] = [json.loads(line) for line in (out / "faults.ndjson").read_text().splitlines()]
    assert fault["patient"] == "q" and "two versions of the Patient differ" in fault["reason"]


def test_a_patient_of_very_many_resources(tmp_path: Path) -> None:
    bloods = [count(f"c{number}", day(number % 180), 90) for number in range(100_000 if LONG else 5_000)]
    out = tmp_path / "out"
    assert run(write(tmp_path / "export", taker("p", *bloods)), out).exit_code == 0
    assert rows(out, "patients")[0]["resources"] > len(bloods)


# --- running it ----------------------------------------------------------------------------------------------


def test_over_time_each_moment_has_its_findings(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export = write(tmp_path / "export", taker("p", level("h", day(47, "08:00"), 25)))
    assert run(export, out, "--every", "28d", "--from", day(20), at=f"{day(104)}T20:00:00Z").exit_code == 0
    found = Counter(row["at"].date().isoformat() for row in rows(out, "findings") if row["rule"] == "trough-critical")
    assert found == {day(48): 1}


def test_with_pseudonyms_nobody_is_named(tmp_path: Path) -> None:
    key, out = tmp_path / "key", tmp_path / "out"
    key.write_text("0123456789abcdef")
    run(write(tmp_path / "export", taker("somebody", level("h", day(180, "08:00"), 25))), out, "--pseudonyms", str(key))
    [name] = {row["patient"] for table in ("patients", "findings", "values") for row in rows(out, table)}
    written = b"".join(each.read_bytes() for each in out.iterdir())
    assert len(name) == 24 and b"somebody" not in written and rows(out, "findings")[0]["evidence"] == []


def test_what_was_ended_is_gone_on_with_and_comes_out_alike(tmp_path: Path) -> None:
    """Killed with some buckets judged, the run goes on with the others; byte by byte the same comes out."""
    export = write(tmp_path / "export", [each for number in range(700) for each in taker(f"p{number}")])
    whole, ended = tmp_path / "whole", tmp_path / "ended"
    assert run(export, whole, workers=2).exit_code == 0  # however many work
    for number, bucket in enumerate(range(4) if LONG else (2,)):
        process = _killed_at(bucket, export, ended, "--resume" if number else "")
        assert process.returncode == -9, process.stderr
        assert len(list((ended / "work").glob("part-*"))) == bucket
    again = run(export, ended)
    assert again.exit_code == 2 and "--resume" in again.output
    assert run(export, ended, "--resume").exit_code == 0
    for name in ("patients.parquet", "findings.parquet", "values.parquet", "alerts.csv", "summary.json"):
        assert (whole / name).read_bytes() == (ended / name).read_bytes()
    assert not (ended / "work").exists()  # the lines of patients are gone


def _killed_at(bucket: int, export: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The command in a process that is killed as soon as so many buckets are judged."""
    arguments = [
        "population",
        str(export),
        "-o",
        str(out),
        "--at",
        AT,
        "--supplied",
        EVERY,
        "--workers",
        "1",
        *filter(None, more),
    ]
    code = (
        "import os, sys; from cds.population import workers\n"
        "judge = workers.judge_lines\n"
        "def killed(*given):\n"
        f"    if len(list(__import__('pathlib').Path({str(out)!r}, 'work').glob('part-*'))) == {bucket}: os.kill(os.getpid(), 9)\n"
        "    return judge(*given)\n"
        "workers.judge_lines = killed\n"
        "from cds.cli.main import main\n"
        f"main({arguments!r})"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)


@pytest.mark.skipif(not LONG, reason="a file of a gigabyte: make population")
def test_a_line_of_a_gigabyte_is_left_out_and_costs_no_memory(tmp_path: Path) -> None:
    export = write(tmp_path / "export", taker("p"))
    block = b"a" * (1 << 20)
    with (export / "Huge.ndjson").open("wb") as file:
        file.write(b'{"resourceType": "Observation", "subject": {"reference": "Patient/p"}, "note": "sirolimus ')
        for _ in range(1024):
            file.write(block)
        file.write(b'"}\n' + json.dumps(taker("q")[2]).encode() + b"\n")
    code = (
        "import sys, resource; from cds.cli.main import main\n"
        f"try: main(['population', {str(export)!r}, '-o', {str(tmp_path / 'out')!r}, '--at', {AT!r}, '--workers', '1'])\n"
        "except SystemExit as end: print(end.code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    code_and_memory = ended.stdout.splitlines()[-1].split()
    assert code_and_memory[0] == "1" and int(code_and_memory[1]) < 600, ended.stdout + ended.stderr
    [fault] = [json.loads(line) for line in (tmp_path / "out" / "faults.ndjson").read_text().splitlines()]
    assert fault["file"] == "Huge.ndjson" and fault["line"] == 1 and "longer than 64 MB" in fault["reason"]
    assert {row["patient"] for row in rows(tmp_path / "out", "patients")} == {"p", "q"}, "what follows it is read"


def test_another_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    export, out = write(tmp_path / "export", taker("p")), tmp_path / "out"
    (out / "work").mkdir(parents=True)
    (out / "work" / "run.json").write_text("{}")
    assert "another run was begun there" in run(export, out, "--resume").output


def test_what_came_out_is_not_written_over(tmp_path: Path) -> None:
    export, out = write(tmp_path / "export", taker("p")), tmp_path / "out"
    assert run(export, out).exit_code == 0
    assert "holds what came out of a run" in run(export, out).output
    assert "holds what came out of a run" in run(export, out, "--resume").output
    assert "must not be written inside the export" in run(export, export / "out").output


def test_a_fault_of_ours_costs_one_patient_and_says_nothing_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = workers.judge

    def fails(who: str, *rest: Any) -> Any:
        if who == "p1":
            raise ValueError("platelets of p1")
        return judged(who, *rest)

    monkeypatch.setattr(workers, "judge", fails)
    out = tmp_path / "out"
    result = run(write(tmp_path / "export", [each for number in range(3) for each in taker(f"p{number}")]), out)
    assert result.exit_code == 70 and [row["patient"] for row in rows(out, "patients")] == ["p0", "p2"]
    assert (
        out / "faults.ndjson"
    ).read_text() == '{"patient":"p1","reason":"an internal fault (ValueError): no advice"}\n'


def test_a_manifest_that_says_that_something_is_missing_is_believed(tmp_path: Path) -> None:
    export = write(tmp_path / "export", taker("p"))
    output = [{"type": each.stem, "url": f"https://bulk.example/{each.name}?sig=1%2F2"} for each in export.iterdir()]
    said = {"transactionTime": AT, "output": output, "error": [{"type": "OperationOutcome", "url": "e"}], "deleted": []}
    (export / "manifest.json").write_text(json.dumps(said))
    out = tmp_path / "out"
    assert run(export / "manifest.json", out).exit_code == 1 and len(rows(out, "patients")) == 1
    [fault] = [json.loads(line) for line in (out / "faults.ndjson").read_text().splitlines()]
    assert fault["file"] == "manifest.json" and "errors" in fault["reason"]


def test_a_patient_who_kills_the_process_costs_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = tmp_path / "sitecustomize.py"
    hook.write_text(
        "import os\n"
        "from cds.population import judge, workers\n"
        "judged = workers.judge\n"
        "def dies(patient, *rest):\n"
        "    if patient == 'p3': os._exit(9)\n"
        "    return judged(patient, *rest)\n"
        "workers.judge = dies\n"
    )
    monkeypatch.setenv(
        "PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}:{Path(workers.__file__).parents[2]}"
    )
    out = tmp_path / "out"
    result = run(
        write(tmp_path / "export", [each for number in range(6) for each in taker(f"p{number}")]), out, workers=2
    )
    assert result.exit_code == 70
    assert [row["patient"] for row in rows(out, "patients")] == ["p0", "p1", "p2", "p4", "p5"]
    [fault] = [json.loads(line) for line in (out / "faults.ndjson").read_text().splitlines()]
    assert fault == {"patient": "p3", "reason": "the process that judged it died"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--supplied", "Letters"), "Letters is not read"),
        (("--at", "latest"), "name a time"),
        (("--every", "4 weeks"), "as 28d"),
        (("--every", "28d"), "--from"),
        (("--pseudonyms", "nowhere"), "nowhere"),
        (("--engine", "spark", "--resume"), "Spark begins anew"),
    ],
)
def test_what_is_asked_wrongly_is_said(tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    result = run(write(tmp_path / "export", taker("p")), tmp_path / "out", *more)
    assert result.exit_code == 2 and said in result.output


def test_an_export_of_nobody_is_written_too(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(write(tmp_path / "export", of_patient("p", patient(), itp())), out).exit_code == 0
    assert rows(out, "patients") == [] and summary(out)["landmarks"][0]["evaluable"] == 0
    shutil.rmtree(out)
    assert run(tmp_path / "nowhere", out).exit_code == 2


def test_alerts_hold_no_formula(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(write(tmp_path / "export", taker("=HYPERLINK(1)", level("h", day(180, "08:00"), 25))), out)
    assert "\n'=HYPERLINK(1)," in (out / "alerts.csv").read_text()
    assert PATIENT not in (out / "alerts.csv").read_text()
