"""What a population costs: ``make bench-population``, or with ARGS="PATIENTS [RESOURCES [1]]" another size, and on Spark too. CPU seconds, for walls are noise."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.charts import count, day, itp, level, patient, sirolimus
from tests.population.exports import AT, EVERY, of_patient

SHARE = 0.007  # of all patients, with ITP on sirolimus
CODES = ("718-7", "6690-2", "2160-0", "1742-6", "2345-7", "4544-3", "789-8", "787-2")


def make(folder: Path, patients: int, resources: int) -> int:
    """Files of a type each; how many resources are in them."""
    random, written = Random(1), 0
    folder.mkdir(parents=True)
    names = ("Patient", "Condition", "MedicationRequest", "Observation")
    files = {name: (folder / f"{name}.ndjson").open("w") for name in names}
    for number in range(patients):
        made = taker(f"p{number}") if random.random() < SHARE else []
        made = made or [patient(pid=f"p{number}")]
        for each in made:
            files[each["resourceType"]].write(json.dumps(each) + "\n")
        for at in range(resources - len(made)):
            files["MedicationRequest" if at % 12 == 0 else "Observation"].write(other(number, at, random))
        written += max(resources, len(made))
    for file in files.values():
        file.close()
    return written


def taker(pid: str) -> list[dict[str, object]]:
    """Half a year of sirolimus."""
    counts = [count(f"c{on}", day(on), 20 + on // 2) for on in range(-3, 180, 14)]
    levels = [level(f"l{on}", day(on, "08:00"), 8) for on in range(20, 180, 30)]
    return of_patient(pid, patient(), itp(), sirolimus("s", day(0), 2), *counts, *levels)


def other(number: int, at: int, random: Random) -> str:
    """A resource of somebody else, some 750 bytes long."""
    subject, rid = f'{{"reference": "Patient/p{number}"}}', f"r{number}-{at}"
    padding = f'"meta": {{"lastUpdated": "2024-0{1 + at % 9}-11T08:00:00Z", "source": "#{random.random()}", "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"]}}'
    if at % 12 == 0:
        return f'{{"resourceType": "MedicationRequest", "id": "{rid}", {padding}, "status": "active", "intent": "order", "subject": {subject}, "medicationCodeableConcept": {{"coding": [{{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "{random.randrange(100000, 999999)}", "display": "metformin hydrochloride 500 MG Oral Tablet"}}]}}, "authoredOn": "2024-02-0{1 + at % 9}", "dosageInstruction": [{{"text": "one tablet twice a day with food"}}]}}\n'
    code = CODES[at % len(CODES)]
    return f'{{"resourceType": "Observation", "id": "{rid}", {padding}, "status": "final", "category": [{{"coding": [{{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}}]}}], "code": {{"coding": [{{"system": "http://loinc.org", "code": "{code}", "display": "a test of the laboratory"}}]}}, "subject": {subject}, "effectiveDateTime": "2024-03-0{1 + at % 9}T07:30:00Z", "valueQuantity": {{"value": {random.random() * 100:.2f}, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"}}}}\n'


def run(export: Path, out: Path, *more: str) -> tuple[float, float, float]:
    """The command: seconds of CPU and of the wall, and the megabytes of its largest process."""
    command = ["population", str(export), "-o", str(out), "--at", AT, "--supplied", EVERY, *more]
    code = f"from cds.cli.main import main; main({command!r})"
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.monotonic() - begun, after.ru_maxrss / 1024


def shares(export: Path, folder: Path) -> str:
    """Which share of the CPU each stage takes, in a process of its own."""
    command = [sys.executable, "-m", "tests.population.stages", export, folder / "work"]
    seconds = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return ", ".join(f"{name} {each / sum(seconds.values()):.0%}" for name, each in seconds.items())


def main(patients: int = 100_000, resources: int = 50, spark: int = 0) -> None:
    """Make an export, judge it, and print what it cost; with ``spark`` also on Spark, on two cores."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = make(folder / "export", patients, resources)
        size = sum(each.stat().st_size for each in (folder / "export").iterdir())
        cpu, wall, memory = run(folder / "export", folder / "out")
        print(f"{patients} patients, {written} resources, {size / 1e9:.2f} GB")
        print(
            f"local: {cpu:.1f} s of CPU, {patients / cpu:.0f} patients a second of it, {wall:.0f} s; largest process {memory:.0f} MB"
        )
        print(f"of the CPU: {shares(folder / 'export', folder)}", flush=True)
        if spark:
            _, wall, _ = run(folder / "export", folder / "spark", "--engine", "spark", "--workers", "2")
            print(f"spark, local[2]: {wall:.0f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
