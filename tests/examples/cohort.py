"""Twenty invented patients shaped like the seed study: 16 adults and 4 children.

Each has a baseline, counts around three and six months, levels in target and doses in the study's
windows. Which category a patient should reach is written down here by hand, beside the counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.charts import Resource, bundle, count, day, itp, level, patient, sirolimus, weight


@dataclass(frozen=True)
class Member:
    number: int
    born: str
    baseline: int
    three_months: tuple[int, int]  # counts on days 82 and 91
    at_three: str
    six_months: tuple[int, int]  # counts on days 171 and 182
    at_six: str

    @property
    def child(self) -> bool:
        return self.born > "2006-01-08"

    @property
    def pid(self) -> str:
        return f"cohort-{self.number:02d}"

    def chart(self) -> Resource:
        """The bundle: start dose, maintenance from day 92, two levels, six counts."""
        pid, start, kept = self.pid, (1.5, 1) if self.child else (3, 2), "siro-2"
        first = sirolimus("siro-1", day(0), start[0], tablet="0.5", status="stopped", end=day(92), pid=pid)
        second = sirolimus(
            kept, day(92), start[1], tablet="0.5", pid=pid, priorPrescription={"reference": "MedicationRequest/siro-1"}
        )
        resources = [patient(self.born, "female" if self.number % 2 else "male", pid), itp(pid), first, second]
        resources += [
            level("level-1", day(21, "07:30"), 8.2, pid=pid),
            level("level-2", day(110, "07:30"), 6.4, pid=pid),
        ]
        counts = {
            -3: self.baseline,
            40: self.baseline + 4,
            82: self.three_months[0],
            91: self.three_months[1],
            171: self.six_months[0],
            182: self.six_months[1],
        }
        resources += [count(f"plt-{on}", day(on), value, pid=pid) for on, value in counts.items()]
        if self.child:
            resources += [
                weight(f"weight-{on}", day(on), 28) | {"subject": {"reference": f"Patient/{pid}"}}
                for on in (0, 60, 120, 175)
            ]
        return bundle(*resources)


_ADULTS = [
    f"19{year}-0{1 + year % 9}-1{year % 9}" for year in (52, 55, 58, 61, 64, 67, 70, 73, 76, 79, 82, 85, 88, 91, 94, 97)
]
_CHILDREN = ["2011-04-02", "2013-07-19", "2014-11-23", "2010-02-08"]
_CR, _PR, _NR = "complete", "partial", "none"

COHORT: tuple[Member, ...] = tuple(
    Member(number, born, *row)
    for number, (born, row) in enumerate(
        zip(
            [*_ADULTS, *_CHILDREN],
            [
                (12, (118, 134), _CR, (125, 140), _CR),
                (8, (104, 121), _CR, (111, 108), _CR),
                (21, (155, 149), _CR, (131, 127), _CR),
                (17, (101, 102), _CR, (100, 103), _CR),
                (14, (55, 62), _PR, (58, 60), _PR),
                (9, (34, 41), _PR, (38, 36), _PR),
                (22, (48, 44), _PR, (51, 47), _PR),
                (15, (30, 31), _PR, (19, 17), _NR),
                (11, (72, 85), _PR, (104, 112), _CR),
                (18, (21, 24), _NR, (20, 23), _NR),
                (25, (29, 28), _NR, (27, 26), _NR),
                (6, (9, 8), _NR, (11, 10), _NR),
                (28, (40, 52), _NR, (45, 50), _NR),  # above 30, not doubled
                (13, (14, 12), _NR, (13, 15), _NR),
                (19, (22, 20), _NR, (24, 21), _NR),
                (10, (12, 16), _NR, (14, 11), _NR),
                (16, (122, 160), _CR, (138, 151), _CR),
                (7, (109, 115), _CR, (96, 90), _PR),
                (20, (61, 66), _PR, (63, 70), _PR),
                (12, (13, 17), _NR, (16, 14), _NR),
            ],
            strict=True,
        ),
        start=1,
    )
)
