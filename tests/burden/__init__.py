"""How many cards a clinician would see: a year of simulated courses, visit by visit.

The courses are invented and only plausible; the assumptions, all of them ours:

- 160 adults and 40 children, all with ITP treated before, one visit a week for a year.
- Adults start on 2 mg (70 %) or 3 mg, children on 1 mg. 2 mg brings a median level of 7 ng/mL in an adult of 70 kg, with 35 % of
  scatter between people, 12 % between draws; smaller bodies reach more. Nine levels of ten are drawn right before a dose with its
  time on record, the tenth two hours after one.
- Levels are measured at week 2, two weeks after a change, and then every four (to month 3) or ten weeks, one in ten forgotten.
- Platelets start at 5 to 25; a third reach 100 and more, a third 30 and a doubling, a third neither, over 4 to 12 weeks, with 15 % of
  scatter; one responder of twenty relapses. Counts every week for a month, every two to month 3, then every four. Under 12 without a
  response every tenth visit brings immunoglobulin.
- Half take prednisone from before the start and taper it over two months.
- The tests of the schedule are done when due in 85 of 100; each drifts out of its range in 2 to 15 of 100 courses.
- A year brings clarithromycin to 8 of 100, fluconazole to 5, ibuprofen to 10, an ACE inhibitor to 4, rifampin to 1, an operation to
  5, sepsis to 2, pneumonitis to 2, a bleed to 10.
- The clinician acts on each card with a probability of 0.7: presses its first button, stops the other drug that it names, treats the
  finding; else does nothing, and the card may come again. A patient without response, with a malignancy or who is pregnant is given
  something else, and leaves the count. What the lists hold beside that stays as it is for the whole year.
"""
