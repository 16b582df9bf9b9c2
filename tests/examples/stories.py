"""The stories of fhir_examples/: what happened, and which cards a clinician should see.

The expected cards are written by hand; ``python -m tests.examples.write`` only puts them into files.
"""

from __future__ import annotations

from tests.charts import (
    FIRST_LINE,
    bundle,
    count,
    day,
    drug,
    height,
    intake,
    itp,
    level,
    patient,
    request,
    sirolimus,
    visit,
    weight,
)
from tests.examples.reading import READING
from tests.examples.story import Story, with_bloods
from tests.examples.told import TOLD

ADULT = [patient(), itp()]
STARTED = sirolimus("siro-1", day(0), 2)
BASELINE = count("plt-0", day(-2), 14)

_TITRATED = [
    *ADULT,
    BASELINE,
    sirolimus("siro-1", day(0), 2, status="stopped", end=day(16)),
    level("level-1", day(14, "07:40"), 3.9),
    intake("dose-1", day(13, "08:00")),
    sirolimus("siro-2", day(16), 3, priorPrescription={"reference": "MedicationRequest/siro-1"}),
    level("level-2", day(30, "07:45"), 7.6),
    intake("dose-2", day(29, "08:00")),
    count("plt-1", day(28), 35),
    count("plt-2", day(77), 104),
    count("plt-3", day(91), 126),
]
_KEPT = [
    *[r for r in _TITRATED if r["id"] != "siro-2"],
    sirolimus("siro-2", day(16), 3, status="stopped", end=day(110)),
    sirolimus("siro-3", day(110), 2, priorPrescription={"reference": "MedicationRequest/siro-2"}),
    level("level-3", day(124, "07:50"), 5.6),
    intake("dose-3", day(123, "08:00")),
    count("plt-4", day(140), 131),
    count("plt-5", day(182), 118),
]

CLINICAL: tuple[Story, ...] = (
    Story(
        "course-1-titration",
        "A woman of 33 with chronic ITP started 2 mg a day two weeks ago. Her first level, drawn just before the dose, is 3.9 ng/mL.",
        bundle(*ADULT, BASELINE, STARTED, level("level-1", day(14, "07:40"), 3.9), intake("dose-1", day(13, "08:00"))),
        (("troughLow", "warning", "Sirolimus trough 3.9 ng/mL on 2024-01-22 07:40 is below the target of 5-15 ng/mL"),),
    ),
    Story(
        "course-2-three-months",
        "The same woman at three months: raised to 3 mg a day on day 16, a level of 7.6 ng/mL, and platelets of 104 and 126.",
        bundle(*_TITRATED),
        (
            ("responseComplete", "info", "Complete response (CR) at the 3-month landmark"),
            (
                "stepDownToMaintenance",
                "info",
                "In response at 3 mg/day: adult maintenance is 1-2 mg/day, consider a step down",
            ),
        ),
    ),
    Story(
        "course-3-six-months",
        "The same woman at six months, on 2 mg a day since day 110, with platelets of 131 and 118.",
        bundle(*_KEPT),
        (("responseComplete", "info", "Complete response (CR) at the 6-month landmark"),),
    ),
    Story(
        "toddler-flat-dose",
        "A boy of two and a half, 10 kg: the study's flat 2 mg a day is about to be signed. By weight that is 0.2 mg/kg.",
        request(
            "order-sign",
            [
                patient("2021-07-01", "male"),
                itp(),
                FIRST_LINE,
                weight("weight", day(-3), 10),
                height("height", day(-3), 82),
            ],
            [sirolimus("draft-1", day(0), 2, solution=True, status="draft")],
        ),
        (("childDoseBySize", "critical", "Sirolimus 2 mg/day is a likely overdose by body size"),),
    ),
    Story(
        "level-two-hours-after-dose",
        "A level of 16 ng/mL drawn at the clinic two hours after the morning dose: a peak, and no reason to cut the dose.",
        bundle(*ADULT, STARTED, level("level-1", day(20, "10:00"), 16), intake("dose-1", day(20, "08:00"))),
        (
            (
                "troughNotUsable",
                "info",
                "Sirolimus level 16 ng/mL on 2024-01-28 10:00 cannot steer the dose: consider drawing it again",
            ),
        ),
    ),
    Story(
        "nanomoles",
        "The laboratory reports nmol/L: 4.3 nmol/L are 3.9 ng/mL.",
        bundle(*ADULT, STARTED, level("level-1", day(14, "07:40"), 4.3, "nmol/L"), intake("dose-1", day(13, "08:00"))),
        (
            (
                "troughLow",
                "warning",
                "Sirolimus trough 3.931 ng/mL (reported as 4.3 nmol/L) on 2024-01-22 07:40 is below the target of 5-15 ng/mL",
            ),
        ),
    ),
    Story(
        "missing-baseline",
        "Platelets of 62 at three months, but no count from before the first dose: neither response nor failure.",
        bundle(*ADULT, STARTED, level("level-1", day(80, "07:30"), 7.2), count("plt-1", day(88), 62)),
        (("responseNotEvaluable", "info", "Response at the 3-month landmark cannot be evaluated"),),
    ),
    Story(
        "rescue-before-landmark",
        "IVIG for a tooth extraction nine days before the three-month count of 180: the count says nothing about sirolimus.",
        bundle(
            *ADULT,
            BASELINE,
            STARTED,
            level("level-1", day(70, "07:30"), 7.2),
            drug("ivig", "ivig", day(81), status="completed"),
            count("plt-1", day(90), 180),
        ),
        (("responseNotEvaluable", "info", "Response at the 3-month landmark cannot be evaluated"),),
    ),
    Story(
        "below-quantitation",
        "The level is reported as less than 2.0: low for certain, and too uncertain to compute a dose from.",
        bundle(
            *ADULT, STARTED, level("level-1", day(14, "07:40"), 2.0, comparator="<"), intake("dose-1", day(13, "08:00"))
        ),
        (("troughLow", "warning", "Sirolimus trough <2 ng/mL on 2024-01-22 07:40 is below the target of 5-15 ng/mL"),),
    ),
    Story(
        "every-other-day",
        "2 mg every other day is not 1 mg a day: the daily window does not apply, and that is said.",
        bundle(*ADULT, sirolimus("siro-1", day(0), 2, period=2), level("level-1", day(20, "07:30"), 6.1)),
        (("notAssessed", "info", "Not assessed: Dose per day"),),
    ),
    Story(
        "two-tablets",
        "2 mg and 0.5 mg ordered on one day make one dose of 2.5 mg. It is in the window, the level is in the target: nothing to say.",
        bundle(
            *ADULT,
            sirolimus("siro-1", day(0), 2, tablet="2"),
            sirolimus("siro-2", day(0), 0.5, tablet="0.5"),
            level("level-1", day(20, "07:30"), 6.1),
        ),
        (),
    ),
    Story(
        "no-sirolimus",
        "ITP on prednisone, platelets of 9 and no sirolimus: this service has nothing to say.",
        bundle(*ADULT, drug("prednisone", "prednisone", day(0), mg=40), count("plt-1", day(3), 9)),
        (),
    ),
    Story(
        "clarithromycin-ordered",
        "Clarithromycin is about to be signed for a patient on sirolimus.",
        request(
            "order-sign",
            [*ADULT, STARTED, level("level-1", day(20, "07:30"), 8.4)],
            [drug("draft-1", "clarithromycin", day(40), status="draft")],
        ),
        (
            (
                "strongInhibitor",
                "critical",
                "Strong inhibitor with sirolimus: clarithromycin; the label says to avoid the combination",
            ),
        ),
    ),
    Story(
        "rifampin-since-last-level",
        "Rifampin was started elsewhere, and no level has followed.",
        bundle(
            *ADULT,
            STARTED,
            level("level-1", day(20, "07:30"), 8.4),
            drug("rif", "rifampin", day(30)),
            visit(day(33, "09:00")),
        ),
        (
            (
                "strongInducer",
                "warning",
                "Strong inducer with sirolimus: rifampin; the label says to avoid the combination",
            ),
        ),
    ),
    Story(
        "positive-pregnancy-test",
        "A positive pregnancy test while taking sirolimus.",
        bundle(
            *ADULT,
            STARTED,
            level("level-1", day(14, "07:30"), 8.4),
            {k: v for k, v in level("hcg", day(18, "11:00"), 1).items() if k != "valueQuantity"}
            | {
                "code": {"coding": [{"system": "http://loinc.org", "code": "2106-3"}]},
                "valueCodeableConcept": {
                    "coding": [{"system": "http://snomed.info/sct", "code": "10828004", "display": "Positive"}]
                },
            },
        ),
        (("pregnancy", "critical", "Pregnancy on sirolimus: consider stopping and urgent review"),),
    ),
    Story(
        "draft-above-window",
        "5 mg a day is being selected to start an adult; the card offers 4.",
        request(
            "order-select",
            [patient(gender="male"), itp(), FIRST_LINE],
            [sirolimus("draft-1", day(0), 5, status="draft")],
        ),
        (("doseAboveWindow", "warning", "Sirolimus 5 mg/day is above the adult starting window of 2-4 mg/day"),),
    ),
    Story(
        "tenfold-error",
        "20 mg a day instead of 2.",
        bundle(*ADULT, sirolimus("siro-1", day(0), 20)),
        (
            (
                "doseFarAboveWindow",
                "critical",
                "Sirolimus 20 mg/day is more than twice the highest starting dose of the study (limit 10 mg/day)",
            ),
        ),
    ),
    Story(
        "very-high-level",
        "A level of 24 ng/mL, time of the last dose unknown.",
        bundle(*ADULT, STARTED, level("level-1", day(20, "09:10"), 24)),
        (
            (
                "troughCritical",
                "critical",
                "Sirolimus level 24 ng/mL on 2024-01-28 09:10 is above 20 ng/mL: consider holding the next dose",
            ),
        ),
    ),
    Story(
        "no-response-well-exposed",
        "Fourteen weeks with levels in target, and platelets of 18 and 21 from a baseline of 14.",
        bundle(
            *ADULT,
            BASELINE,
            STARTED,
            level("level-1", day(80, "07:30"), 7.4),
            count("plt-1", day(70), 18),
            count("plt-2", day(98), 21),
        ),
        (("responseNone", "warning", "No platelet response on day 98 of sirolimus with adequate exposure"),),
    ),
    Story(
        "no-response-never-exposed",
        "Fourteen weeks without response, but the only usable level was 3.1 ng/mL: exposure first.",
        bundle(
            *ADULT,
            BASELINE,
            STARTED,
            level("level-1", day(94, "07:30"), 3.1),
            intake("dose-1", day(93, "07:45")),
            count("plt-1", day(70), 18),
            count("plt-2", day(98), 21),
        ),
        (
            (
                "troughLow",
                "warning",
                "Sirolimus trough 3.1 ng/mL on 2024-04-11 07:30 is below the target of 5-15 ng/mL",
            ),
            (
                "responseNoneUnexposed",
                "info",
                "No platelet response on day 98, and no usable trough has reached 5 ng/mL",
            ),
        ),
    ),
    Story(
        "response-lost",
        "A confirmed complete response, then 24 and 19 a week apart.",
        bundle(
            *ADULT,
            BASELINE,
            STARTED,
            level("level-1", day(118, "07:30"), 6.0),
            count("plt-1", day(60), 120),
            count("plt-2", day(70), 131),
            count("plt-3", day(113), 24),
            count("plt-4", day(119), 19),
        ),
        (
            (
                "responseLost",
                "warning",
                "A confirmed platelet response to sirolimus is gone on the two newest usable counts",
            ),
            (
                "lowPlateletsAdult",
                "warning",
                "Platelets 19 x 10^9/L on 2024-05-06: below 20, consider a repeat in 24 to 72 hours and rescue treatment",
            ),
        ),
    ),
    Story(
        "girl-in-response-with-low-level",
        "A girl of nine, in complete response after two months on 1 mg a day, with a level of 4.2: a level soon, and no higher dose.",
        bundle(
            patient("2014-10-02"),
            itp(),
            weight("weight", day(60), 27),
            count("plt-0", day(-4), 11),
            sirolimus("siro-1", day(0), 1),
            level("level-1", day(62, "07:30"), 4.2),
            intake("dose-1", day(61, "07:45")),
            count("plt-1", day(50), 140),
            count("plt-2", day(62), 152),
        ),
        (
            (
                "troughLow",
                "info",
                "Trough 4.2 ng/mL on 2024-03-10 07:30 is below 5-15 ng/mL, in an early response: consider a level soon",
            ),
        ),
    ),
    Story(
        "two-active-orders",
        "1 mg and 2 mg of the same tablet, ordered weeks apart and both active: nobody can say what is taken.",
        bundle(
            *ADULT,
            sirolimus("siro-1", day(0), 1),
            sirolimus("siro-2", day(9), 2),
            level("level-1", day(17, "07:30"), 6.0),
        ),
        (
            (
                "duplicateOrders",
                "warning",
                "Sirolimus is ordered twice: 1 mg/day and 2 mg/day; it is not said whether they add up",
            ),
            ("notAssessed", "info", "Not assessed: Two active orders"),
        ),
    ),
    Story(
        "no-itp-on-record",
        "A transplant recipient on sirolimus: ITP windows and targets must not be applied to her.",
        bundle(patient(), sirolimus("siro-1", day(0), 5), level("level-1", day(20, "07:30"), 4.0)),
        (("notAssessed", "info", "Not assessed: No ITP on record"),),
    ),
)


STORIES = (*(with_bloods(each) for each in (*CLINICAL, *READING)), *TOLD)


def story(name: str) -> Story:
    return next(each for each in STORIES if each.name == name)
