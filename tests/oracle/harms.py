"""What withholds a rise: rule-semantics, section "Advice as a whole".

"A rise is withheld by facts, on every hook, whether or not their card speaks there: while one of the harms below is true,
nothing offers more." Every harm is a line here, with its days.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from tests.oracle import labs, levels, readings
from tests.oracle.codes import EXCIPIENTS, LEVELS, SCREENING, SIROLIMUS, SIROLIMUS_ALLERGENS, TABLET_MG
from tests.oracle.course import Course, on_sirolimus, without_renewals
from tests.oracle.dosing import Dosing
from tests.oracle.interactions import unsettled_inhibitor
from tests.oracle.record import Order, Problem, Record
from tests.oracle.response import Response

LUNGS_DAYS, INFECTION_DAYS, NEUTROPHILS_DAYS, ACUTE_DAYS, STOMATITIS_DAYS = 89, 42, 14, 90, 28
CREATININE_DAYS, PROTEIN_DAYS, LIPID_DAYS, ENZYME_DAYS, PICTURE_DAYS = 28, 100, 90, 28, 28
SURGERY_BEFORE, SURGERY_AFTER, PREGNANCY_LONGEST, POSITIVE_TEST_VALID = 14, 28, 42 * 7, 30
NEUTROPHILS, FEBRILE, CREATININE, ENZYMES, BILIRUBIN = Decimal(1), Decimal("0.5"), Decimal("1.5"), 5, Decimal("1.5")
TRIGLYCERIDES, CHOLESTEROL = 1000, 500
# the text gives no limit of albumin; 3.5 g of protein are about 2.2 g of albumin, and 1 g about 0.7 g
NEPHROTIC = {"protein-ratio": (Decimal("3.5"), Decimal(2)), "albumin-ratio": (Decimal(2200), Decimal(1300))}
ANSWERED_FROM, LEVEL_COUNTS = 21, 100
FEVER_DAYS = 7  # rules/definitions.yaml
FALL_LIMIT, HEMOGLOBIN_FALL, OXYGEN_LOW, OXYGEN_VERY_LOW, HEMOGLOBIN = 50, 2, 94, 90, 8
WHILE_ACTIVE = ("tuberculosis", "fungus") + (("pneumocystis",) if readings.PNEUMOCYSTIS_IS_A_FUNGUS else ())
FOR_A_WHILE = ("sepsis", "infection", "febrile neutropenia") + (
    () if readings.PNEUMOCYSTIS_IS_A_FUNGUS else ("pneumocystis",)
)


def age(record: Record, p: Problem, on: date | None = None) -> int:
    """Days since the onset, "else recordedDate; neither: current"."""
    return 0 if p.start is None else ((on or record.today) - p.start).days


def harms(record: Record, course: Course, lv: levels.Levels, r: Response, d: Dosing) -> list[str]:
    """The harms that are true now."""
    found = of_record(record, course, record.today)
    if any(o.due and (o.due - record.today).days <= SURGERY_BEFORE for o in record.operations):
        found.append("surgery ahead")
    if short_of_air(record):
        found.append("possible pneumonitis")
    if picture(record, course, r):
        found.append("the picture of microangiopathy")
    if allergic(record, d):
        found.append("allergy")
    if levels.above(record, course, lv):
        found.append("level above the ceiling")
    if unsettled_inhibitor(record, course, lv):
        found.append("an inhibitor that no level has answered")
    if liver(record) and not liver_answered(record, course, lv):
        found.append("an impaired liver")
    return found


def of_record(record: Record, course: Course, on: date, ever: bool = False) -> list[str]:
    """Problems, tests and pregnancy on a day. ``ever``: also those that are over by now, for a day that has passed."""
    here = [p for p in record.problems if p.start is None or p.start <= on]
    found = [p.kind for p in here if _problem(record, course, p, on, ever)]
    if febrile_neutropenia(record, on, ever):
        found.append("fever with few neutrophils")
    if pregnant(record, on):
        found.append("pregnancy")
    if any(0 <= (on - day).days <= SURGERY_AFTER for day in record.operated):
        found.append("surgery")
    return found + _tests(record, on)


def _problem(record: Record, course: Course, p: Problem, on: date, ever: bool) -> bool:
    """By onset, "unless resolved or refuted"; pneumonitis with onset on sirolimus "always, resolved too"."""
    if p.kind == "lungs" and began_on_it(record, course, p):
        return True
    if not (p.active or ever):
        return False
    days = age(record, p, on)
    if p.kind in WHILE_ACTIVE or p.kind == "malignancy":
        return True
    longest = {"lungs": LUNGS_DAYS, "angioedema": ACUTE_DAYS, "thrombosis": ACUTE_DAYS}
    longest |= dict.fromkeys(FOR_A_WHILE, INFECTION_DAYS)
    if not p.mild:
        longest["stomatitis"] = STOMATITIS_DAYS
    return days <= longest.get(p.kind, -1)


def began_on_it(record: Record, course: Course, p: Problem) -> bool:
    """ "With onset on sirolimus or within 28 days of a stop"; of a course without an order nobody knows since when."""
    if course.start is None:
        levels_lately = [v for v in record.values if v.code in LEVELS]
        unseen = any((record.today - v.when.day).days <= LEVEL_COUNTS for v in levels_lately)
        unseen |= any(code in SIROLIMUS for code, _ in record.given)
        return readings.LUNGS_OF_AN_UNSEEN_COURSE and unseen
    return on_sirolimus(course, p.start)


def _tests(record: Record, on: date) -> list[str]:
    """What the laboratory says."""
    found = []
    cells = labs.newest(record, "neutrophils", days=NEUTROPHILS_DAYS, on=on)
    if cells and cells.value < NEUTROPHILS:
        found.append("few neutrophils")
    rise = labs.creatinine_of_the_year(record, CREATININE_DAYS, on)
    if rise is not None and rise >= CREATININE:
        found.append("creatinine")
    if any(nephrotic(record, name, on) for name in NEPHROTIC):
        found.append("nephrotic proteinuria")
    fat = labs.newest(record, "triglycerides", days=LIPID_DAYS, on=on)
    cholesterol = labs.newest(record, "cholesterol", days=LIPID_DAYS, on=on)
    if (fat and fat.value > TRIGLYCERIDES) or (cholesterol and cholesterol.value > CHOLESTEROL):
        found.append("lipids")
    enzymes = labs.liver_enzymes(record, ENZYME_DAYS, on)
    if enzymes is not None and enzymes > ENZYMES:
        found.append("liver enzymes")
    return found


def short_of_air(record: Record) -> bool:
    """Breathless, with a saturation under 94 % in the last days: possible pneumonitis, whatever it is called."""
    oxygen = labs.newest(record, "oxygen", days=labs.OXYGEN_RECENT)
    return oxygen is not None and oxygen.value < OXYGEN_LOW and any(
        p.kind == "breathless" and p.active for p in record.problems
    )  # fmt: skip


def too_ill_for_more(record: Record) -> bool:
    """Fever, a very low oxygen saturation or haemoglobin, or virus of hepatitis B (rules/withhold): they only speak against a rise."""
    oxygen = labs.newest(record, "oxygen", days=labs.OXYGEN_RECENT)
    blood = labs.newest(record, "hemoglobin", days=labs.LAB_RECENT)
    hot = any(p.kind == "fever" and p.active and p.start and age(record, p) <= FEVER_DAYS for p in record.problems)
    loads = [t for t in record.tests if SCREENING[t.code] == "hbv-dna"]
    virus = bool(loads) and bool(max(loads, key=lambda t: t.when.day).positive)
    low = (oxygen is not None and oxygen.value < OXYGEN_VERY_LOW) or (blood is not None and blood.value < HEMOGLOBIN)
    return low or hot or virus


def nephrotic(record: Record, name: str, on: date) -> bool:
    """Two samples in the nephrotic range, the newer one at most 100 days old."""
    pair = labs.two_samples(record, name, PROTEIN_DAYS, on)
    if pair is None:
        return False
    lower = min(pair[0].value, pair[1].value)
    adult, child = NEPHROTIC[name]
    return lower > child if record.age(on) < 18 else lower >= adult


def febrile_neutropenia(record: Record, on: date, ever: bool = False) -> bool:
    """ "A fever with neutrophils under 0.5 is a serious infection until shown otherwise." """
    hot = [p for p in record.problems if p.kind == "fever" and (p.active or ever) and age(record, p, on) >= 0]
    cells = labs.newest(record, "neutrophils", days=NEUTROPHILS_DAYS, on=on)
    return bool(cells and cells.value < FEBRILE) and any(age(record, p, on) <= INFECTION_DAYS for p in hot)


def pregnant(record: Record, on: date) -> bool:
    """ "Until an outcome, at most 42 weeks; a newer negative status ends it"; a positive test counts for 30 days."""
    if record.gender == "male":
        return False
    longest = timedelta(days=PREGNANCY_LONGEST)
    since = [p.start for p in record.problems if p.kind == "pregnant" and p.active]
    since += [w.day for w, yes in record.statuses if yes]
    tests = [t.when.day for t in record.tests if SCREENING[t.code] == "hcg" and t.positive]
    since += [day for day in tests if 0 <= (on - day).days <= POSITIVE_TEST_VALID]
    outcomes = [p.start for p in record.problems if p.kind == "outcome" and p.start and p.start <= on]
    ends = [w.day for w, yes in record.statuses if not yes and w.day <= on]
    for day in since:
        if day is None:
            return True
        # an outcome follows the pregnancy of its day; of two answers of one day nobody knows which came first
        over = any(end > day for end in ends) or any(end >= day for end in outcomes)
        if day <= on <= day + longest and not over:
            return True
    return False


def product(orders: tuple[Order, ...]) -> str:
    """Tablets or solution, where the order says so."""
    kinds = {
        "solution" if o.code == "314230" else "tablets" if o.code in TABLET_MG else "" for o in without_renewals(orders)
    }
    return kinds.pop() if len(kinds) == 1 else ""


def allergic(record: Record, d: Dosing) -> bool:
    """ "To sirolimus; soya or peanut for the solution only." """
    codes = {code for _, code in record.allergies}
    return bool(codes & set(SIROLIMUS_ALLERGENS)) or (bool(codes & set(EXCIPIENTS)) and product(d.orders) == "solution")


def picture(record: Record, course: Course, r: Response) -> bool:
    """Platelets fall by more than half, and haemoglobin falls or creatinine rises; at most 28 days after the newest."""
    fall = r.fall_percent
    if fall is None or r.fall is None or fall <= FALL_LIMIT:
        return False
    blood = labs.hemoglobin_fall(record, PICTURE_DAYS)
    kidney = labs.creatinine_ratio(record, course, PICTURE_DAYS)
    worse = (blood is not None and blood > HEMOGLOBIN_FALL) or (kidney is not None and kidney > CREATININE)
    return worse and (record.today - r.fall[1].day).days <= PICTURE_DAYS


def liver(record: Record) -> bool:
    """Cirrhosis or liver failure on record, or bilirubin of the last 90 days above 1.5 times its laboratory's limit."""
    times = labs.over_limit(labs.newest(record, "bilirubin", days=labs.BILIRUBIN_RECENT))
    yellow = times is not None and times > BILIRUBIN
    return yellow or any(p.kind == "liver" and p.active for p in record.problems)


def liver_answered(record: Record, course: Course, lv: levels.Levels) -> bool:
    """ "A usable level drawn at least 21 days after the last change may be answered."

    One drawn while nothing was taken, or in another course, shows nothing of what the liver makes of a dose.
    """
    gone = course.over(record.today) or not (course.current or readings.LEVEL_AFTER_A_STOP_ANSWERS_FOR_THE_LIVER)
    if course.last_change is None or gone:
        return False
    young = [x for x in lv.usable if (record.today - x.day).days <= LEVEL_COUNTS]
    since = max(course.last_change, impaired_from(record))
    return any((x.day - since).days >= ANSWERED_FROM for x in young)


def impaired_from(record: Record) -> date:
    """A level from before the liver failed says nothing of it: the newest disease, or the first bilirubin that has been high since."""
    days = [p.start or record.today for p in record.problems if p.kind == "liver" and p.active]
    raised: list[date] = []
    for lab in reversed(labs.read_labs(record, "bilirubin")):
        times = labs.over_limit(lab)
        if times is None:
            continue
        if times <= BILIRUBIN:
            break
        raised.append(lab.day)
    return max([*days, *raised[-1:]], default=date.min)


def restart_after_harm(record: Record, course: Course, lv: levels.Levels) -> bool:
    """A restart after harm: sirolimus is taken up again after a pause, and a harm was true when the pause began."""
    active = any(o.status == "active" for o in course.current)
    if record.ordering and not active and course.days:
        held = [o.end for o in course.current if o.end]
        paused = course.stopped or min(held, default=record.today)
    elif course.restarted is not None and course.last_change == course.restarted[1]:
        paused = course.restarted[0]
    else:
        return False
    high = [x for x in lv.accepted if x.day <= paused and (paused - x.day).days <= levels.CRITICAL_MAX_AGE]
    return bool(of_record(record, course, paused, ever=True)) or bool(high and high[-1].high)
