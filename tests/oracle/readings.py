"""Where the text leaves a choice: how it is read here. Each could be read the other way; one word turns it."""

from __future__ import annotations

# "the newest creatinine over the one before the course"; a platelet count of day 0 may be the baseline, and of
# creatinine nothing is said
CREATININE_OF_DAY_0_IS_BEFORE = True
# "the antigen, antibody or condition that indicates hepatitis B": of a viral load that found something nothing is said,
# nor whether ordering it again is enough ("measured lately or is on order")
VIRAL_LOAD_SPEAKS_OF_HEPATITIS_B = True
# "overdue when half the time again has passed": on day 42 of an interval of 28, or on the day after
OVERDUE_ON_THE_DAY = False
# "final, amended, corrected" results count; whether a preliminary one shows that a test was done is not said
PRELIMINARY_IS_DONE = True
# "with a second immunosuppressant", "drugs that suppress the immune system, other than those with a value set of their own":
# whether a second mTOR inhibitor is one is not said
MTOR_INHIBITOR_IS_A_SECOND = False
# "while the risk is new": where sirolimus was stopped for less than 28 days and is ordered again, the course goes on
RESUMING_IS_NEW = True
# "outside any earlier course on record": how many days after the end of that course a level is still its own; "28 days
# after a stop, still count as taken"
EARLIER_COURSE_REACHES = 28
# "on-hold orders, and 28 days after a stop, still count as taken for trough-critical, response and not-assessed", "a level
# within 100 days without any order gives not-assessed (and trough-critical if above 20)": whether blood, lungs, infections
# and breast-feeding are reported then, too. As it is written, no
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
# "platelet-count-not-usable on the first count per rescue"; "after rituximab or splenectomy during the course (confounded
# for its rest)": whether the first count after these is told so, or the landmark tells it
FOR_GOOD_IS_TOLD = False
# "doses documented as not given (`not-done`) since the last completed one, however long ago": where none is documented as
# given, only the 5 days before the draw are asked for
MISSED_LONG_AGO = True
# "remove or avoid an inhibitor": the card on herbs speaks of St John's wort (an inducer) and of cannabidiol (an inhibitor)
CANNABIDIOL_ADVISES_LESS = True
# "tuberculosis or invasive fungus while active": Pneumocystis is a fungus, and ICD-10 counts it elsewhere
PNEUMOCYSTIS_IS_A_FUNGUS = True
# "angioedema and acute thrombosis: 90 days": whether an older one that is still active is reported, without advice
OLD_THROMBOSIS_SPEAKS = False
# "safety rules speak on patient-view, and on order hooks with a sirolimus draft": whether the low counts of the same section
# are safety rules; "response-*: patient-view"
LOW_COUNTS_ARE_SAFETY = False
# "creatinine at least 1.5 times the previous year's": the lowest of the year before the newest, or the one before it
LOWEST_OF_THE_YEAR = True
# "late, doses missed. Any not-done or held dose ... also makes it not usable; a level above the ceiling still counts": one
# that is only drawn late, too
LATE_AND_HIGH_COUNTS = False
# "in confirmed response for a year": whether a response that was lost and came back counts from its first confirmation
A_YEAR_WITHOUT_A_BREAK = True
# "a step down is offered only if the level projected for it is at or above the target's floor": whether the card falls silent
# where a usable level says that the next step would leave the target. Without such a level it speaks, and offers none
STEP_DOWN_STAYS_IN_TARGET = True
# "doses documented as not given (`not-done`) since the last completed one, however long ago": whether a held one is meant, too,
# which "any not-done or held dose in the 5 days ... before the draw" names and this does not
HELD_LONG_AGO = False
# "before the draw": whether a dose not given on the very day of the draw counts, where one of the two has no time. It is
# the safer one: a low level that may be so for want of a dose raises none
MISSED_ON_THE_DAY = True
# "platelet-count-not-usable on the first count per rescue": whether an earlier count of the same day is another
TOLD_ON_THE_DAY = False
# "a baseline under a corticosteroid of 20 mg prednisone a day or more, IVIG or anti-D within their washout": whether the
# washout is that of the corticosteroid, too; without it a baseline that it held up would make "no response"
STEROID_SUPPORTS_IN_ITS_WASHOUT = True
# "30-49 for 14 days from the drug's start or the crossing": whether a first count on record, that is low, crosses it
FIRST_LOW_COUNT_CROSSES = True
# "a usable level drawn at least 21 days after the last change may be answered": a stop is a change, too, but a level of
# after it is of no dose on record, and shows nothing of what the liver makes of the one that is ordered
LEVEL_AFTER_A_STOP_ANSWERS_FOR_THE_LIVER = False
# "the newest level at the present dose above the ceiling": after a raise, or after a hold that ended, the dose is another, but
# neither answers a level that was too high already
RAISE_ANSWERS_A_HIGH_LEVEL = False
# "a preliminary level above 20 does raise trough-critical": the same for a pregnancy test that found something, and for the
# saturation of oxygen
PRELIMINARY_HARM_COUNTS = True
# the harms that withhold a rise, as they are listed: whether breast-feeding is one, and what raises the level and no level has shown
# yet: a second mTOR inhibitor, ciclosporin or tacrolimus just added, cannabidiol, an inducer that was stopped
WHAT_RAISES_THE_LEVEL_WITHHOLDS = True
# "anything dated after `now` does not exist": whether a level dated later today, perhaps by a fast clock, is there in so far
# that no dose is raised beside it, as beside one that cannot be read, and that none is called overdue
A_LEVEL_OF_TODAY_MAY_BE_THERE = True
# "No action, and the reason said, for several orders": whether one order of several dated steps is such a one
AN_ORDER_IN_STEPS_IS_NOT_REWRITTEN = True
