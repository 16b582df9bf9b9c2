"""One chart of 30,000 entries: seconds of CPU and peak memory, in a process of its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from tests.bench.patients import SEED, noise_of
from tests.charts import PATIENT, bundle, count, day, itp, level, patient, sirolimus

ENTRIES = 30_000
_CHILD = """
import re, sys, time
from pathlib import Path
from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.knowledge.load import load
from tests.judge import now_on
knowledge, now = load(), now_on(2000)
kilobytes = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before, best = kilobytes(), 9e9
body = Path(sys.argv[1]).read_bytes()
for _ in range(3):
    begun = time.process_time()
    chart = read_chart(read_request(body), knowledge, now)
    best = min(best, time.process_time() - begun)
assert len(chart.lab("level")) == 200 and len(chart.lab("platelets")) == 400, chart
print(best, (kilobytes() - before) * 1024 / len(body))
"""


def large_chart(broken: bool) -> bytes:
    """Mostly of no interest to the rules, as charts are; ``broken`` adds one resource of the wrong shape."""
    ours = [patient(), itp(), sirolimus("s", day(0), 2)]
    ours += [level(f"l{n}", day(7 * n, "08:00"), 8) for n in range(200)]
    ours += [count(f"p{n}", day(3 * n, "08:00"), 60 + n % 90) for n in range(400)]
    ours += [{"resourceType": "Observation", "id": "bad", "status": 5}] if broken else []
    chance = random.Random(SEED)
    noise = [noise_of(chance, f"n{n}", PATIENT) for n in range(ENTRIES - len(ours))]
    return json.dumps(bundle(*ours, *noise), separators=(",", ":")).encode()


def measure_large() -> Iterator[str]:
    """A line a chart."""
    for broken in (False, True):
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            body = large_chart(broken)
            file.write(body)
            file.flush()
            done = subprocess.run([sys.executable, "-c", _CHILD, file.name], capture_output=True, text=True, check=True)
        seconds, times = map(float, done.stdout.split())
        what = f"{len(body) / 1e6:.0f} MB, {ENTRIES} entries" + (", one broken" if broken else "")
        yield f"{what:30} {seconds:8.2f} s CPU to a chart, {times:.1f} x the file in memory (goals for 20 MB: 0.5 s, 6 x)"
