"""Where the text leaves a choice: how it is read here. Each could be read the other way; one word turns it."""

from __future__ import annotations

# "the newest creatinine over the one before the course"; a platelet count of day 0 may be the baseline, and of
# creatinine nothing is said
CREATININE_OF_DAY_0_IS_BEFORE = True
# "the antigen, antibody or condition that speaks of hepatitis B": of a viral load that found something nothing is said,
# nor whether ordering it again is enough ("measured lately or is on order")
VIRAL_LOAD_SPEAKS_OF_HEPATITIS_B = True
# "overdue when half the time again has passed": on day 42 of an interval of 28, or on the day after
OVERDUE_ON_THE_DAY = False
# "final, amended, corrected" results count; whether a preliminary one shows that a test was done is not said
PRELIMINARY_IS_DONE = True
# "with a second immunosuppressant", "drugs that suppress the immune system, beside those with a value set of their own":
# whether a second mTOR inhibitor is one is not said
MTOR_INHIBITOR_IS_A_SECOND = False
# "while the risk is new": where sirolimus was stopped for less than 28 days and is ordered again, the course goes on
RESUMING_IS_NEW = True
# "on-hold orders, and 28 days after a stop, still count as taken for trough-critical, response and not-assessed", "a level
# within 100 days without any order gives not-assessed (and trough-critical if above 20)": whether blood, lungs, infections
# and breast-feeding are spoken of then, too. As it is written, no
HARM_AFTER_A_STOP = True
# "a sirolimus level dated before the first order means that the start is unknown: phase, baseline and landmarks become
# gaps": whether creatinine and sugar of before the first order are of before sirolimus, and whether it is new in an infant
FIRST_ORDER_STANDS_FOR_THE_START = True
# "the assays of the two newest levels that name one": for how long, and whether a newer level that names none ends it
ASSAY_SHOWN: int | None = 14
ASSAY_OF_THE_NEWEST = True
# "lung disease that began during the course": where sirolimus is taken and nobody knows since when, it may have begun during it
LUNGS_OF_AN_UNSEEN_COURSE = True
# "fall of the newest usable count from the usable one before": on sirolimus, so that the newest is of the course, and the
# one before it is, or is from the days of a baseline
FALL_ON_SIROLIMUS = True
