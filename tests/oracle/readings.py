"""Where the text leaves a choice: how it is read here. Each could be read the other way; one word turns it."""

from __future__ import annotations

# "the newest creatinine over the one before the course"; a platelet count of day 0 may be the baseline, and of
# creatinine nothing is said
CREATININE_OF_DAY_0_IS_BEFORE = False
