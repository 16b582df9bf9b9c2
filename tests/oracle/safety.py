"""Harm on sirolimus: rule-semantics, "Low counts, bleeding, safety"; docs/fhir.md for what is read of each resource.

Rules: allergy, anaemia, breastfeeding, contraception, hepatitis-b, hyperglycaemia, hyperlipidaemia, liver-enzymes,
malignancy, neutropenia, pneumonitis, pregnancy, proteinuria, renal-decline, serious-infection, stomatitis,
surgery-planned, thrombosis.
"""

from __future__ import annotations

from decimal import Decimal

from tests.oracle import conditions, harms, labs, readings
from tests.oracle.codes import EXCIPIENTS, SCREENING, SIROLIMUS, SIROLIMUS_ALLERGENS
from tests.oracle.course import Course, sirolimus, still_counts
from tests.oracle.course import drafts as sirolimus_drafts
from tests.oracle.dosing import Dosing
from tests.oracle.hepatitis import hepatitis_b
from tests.oracle.interactions import raised
from tests.oracle.record import Record

Fires = dict[str, tuple[str, str]]

# rules/definitions.yaml
NEUTROPHILS_3, NEUTROPHILS_4 = Decimal(1), Decimal("0.5")
HEMOGLOBIN_3, HEMOGLOBIN_FALL = 8, 2
TRIGLYCERIDES_3, TRIGLYCERIDES_4, CHOLESTEROL_2, CHOLESTEROL_3, CHOLESTEROL_4 = 500, 1000, 300, 400, 500
PROTEIN = {  # adult, child: from here a warning; the nephrotic range is that of harms.py
    "protein-ratio": (Decimal(1), Decimal("0.5")),
    "albumin-ratio": (Decimal(700), Decimal(300)),
}
CREATININE_2 = Decimal("1.5")
ENZYMES_2, ENZYMES_3 = 3, 5
NEGATIVE_TEST_VALID = 7
FERTILE_FROM, FERTILE_TO = 12, 50
SURGERY_NOTICE = 14


def taking(course: Course) -> bool:
    """Sirolimus is taken today: a hold, or a stop, counts only for critical levels and response (The course)."""
    return any(o.status != "on-hold" for o in course.current)


def ordered(record: Record) -> bool:
    """Sirolimus is among what is being ordered, on an order hook."""
    return record.ordering and bool(sirolimus_drafts(record))


def first_order(record: Record) -> bool:
    """The draft is the first order of sirolimus on record."""
    return ordered(record) and not sirolimus(record)


def rules(record: Record, course: Course, d: Dosing, goes_on: bool) -> Fires:
    """ "Safety rules speak on patient-view, and on order hooks with a sirolimus draft; critical ones with any draft."

    ``goes_on``: a level says that sirolimus is taken, and no order does.
    """
    counts = taking(course) or (readings.HARM_AFTER_A_STOP and (still_counts(record, course) or goes_on))
    if ordered(record) or not record.ordering:
        fires = _harm(record, course, d) if counts or ordered(record) else {}
        return fires | _taken(record, course, d) if taking(course) or ordered(record) else fires
    # another draft, for one who takes sirolimus, or for whom it is being ordered beside
    beside = any(o.code in SIROLIMUS for o in record.unselected)
    fires = _harm(record, course, d) if counts or beside else {}
    fires |= _taken(record, course, d) if taking(course) or beside else {}
    fires = {rule: card for rule, card in fires.items() if card[0] == "critical"}
    # "while one of the two is signed": the operation is being ordered for one who takes sirolimus
    if taking(course) and any(o.draft for o in record.operations):
        fires |= _surgery(record)
    return fires


def _taken(record: Record, course: Course, d: Dosing) -> Fires:
    """What is reported only while sirolimus is taken, or ordered."""
    return _allergy(record, d) | _pregnancy(record) | _surgery(record) | hepatitis_b(record)


def _harm(record: Record, course: Course, d: Dosing) -> Fires:
    """What may come of sirolimus, and is looked at for a while after it, too."""
    return (
        _lungs(record, course)
        | _conditions(record)
        | _blood(record)
        | _chemistry(record, course)
        | _urine(record, d)
    )  # fmt: skip


def _allergy(record: Record, d: Dosing) -> Fires:
    """Sirolimus and its kin whatever the product; peanut and soya with the solution, or where nobody says."""
    allergens = {code for _, code in record.allergies}
    if harms.allergic(record, d) or allergens & set(SIROLIMUS_ALLERGENS):
        return {"allergy": ("critical", "")}
    if not allergens & set(EXCIPIENTS) or harms.product(d.orders) == "tablets":
        return {}
    return {"allergy": ("info", "")}


def _pregnancy(record: Record) -> Fires:
    """A pregnancy, by test, problem or status; before a first order the question whether there is one."""
    if harms.pregnant(record, record.today):
        return {"pregnancy": ("critical", "")}
    tests = [t for t in record.tests if SCREENING[t.code] == "hcg"]
    may_conceive = record.gender == "female" and FERTILE_FROM <= record.age(record.today) <= FERTILE_TO
    negative = any(t.positive is False and (record.today - t.when.day).days <= NEGATIVE_TEST_VALID for t in tests)
    return {"contraception": ("info", "")} if first_order(record) and may_conceive and not negative else {}


def _lungs(record: Record, course: Course) -> Fires:
    """Active lung disease that began on sirolimus, or breathlessness with few oxygen: critical.

    "Lung disease from before the first dose is a warning at the start only; pneumonitis in the history is a warning on
    order hooks when sirolimus is started, resumed or raised."
    """
    lungs = [p for p in record.problems if p.kind == "lungs"]
    own = [p for p in lungs if harms.began_on_it(record, course, p)]
    if any(p.active for p in own) or harms.short_of_air(record):
        return {"pneumonitis": ("critical", "")}
    if ordered(record) and own and raised(record, course):
        return {"pneumonitis": ("warning", "")}
    begins = course.start is None or course.over(record.today)
    if ordered(record) and begins and any(p.active for p in lungs if p not in own):
        return {"pneumonitis": ("warning", "from before")}
    return {}


def _conditions(record: Record) -> Fires:
    """Infections, tumours, clots, the mouth, and breast-feeding."""
    fires: Fires = {}
    active = [p for p in record.problems if p.active]
    young = [p for p in active if harms.age(record, p) <= harms.INFECTION_DAYS]
    grave = ("sepsis", "febrile neutropenia")
    if any(p.kind in grave for p in young) or harms.febrile_neutropenia(record, record.today):
        fires["serious-infection"] = ("critical", "")
    elif any(p.kind in harms.WHILE_ACTIVE for p in active) or any(p.kind in conditions.INFECTIONS for p in young):
        fires["serious-infection"] = ("warning", "")
    if any(p.kind == "malignancy" for p in active):
        fires["malignancy"] = ("critical", "")
    clots = [p for p in active if p.kind == "thrombosis"]
    acute = any(harms.age(record, p) <= harms.ACUTE_DAYS for p in clots)
    if acute or (clots and readings.OLD_THROMBOSIS_SPEAKS):
        fires["thrombosis"] = ("warning", "" if acute else "old")
    sore = [p for p in active if p.kind == "stomatitis" and harms.age(record, p) <= harms.STOMATITIS_DAYS]
    if sore:
        fires["stomatitis"] = ("warning", "mild" if all(p.mild for p in sore) else "")
    if any(p.kind == "breastfeeding" for p in active):
        fires["breastfeeding"] = ("warning", "")
    return fires


def _surgery(record: Record) -> Fires:
    """The next operation that is ordered or booked, when at most 14 days lie before it."""
    near = [o for o in record.operations if o.due and (o.due - record.today).days <= SURGERY_NOTICE]
    return {"surgery-planned": ("warning", "")} if near else {}


def _blood(record: Record) -> Fires:
    """Neutrophils and haemoglobin, by the grades of the toxicity criteria, version 5."""
    fires: Fires = {}
    cells = labs.newest(record, "neutrophils")
    if cells and cells.value < NEUTROPHILS_3:
        fires["neutropenia"] = ("critical" if cells.value < NEUTROPHILS_4 else "warning", "")
    blood, fall = labs.newest(record, "hemoglobin"), labs.hemoglobin_fall(record)
    if blood and (blood.value < HEMOGLOBIN_3 or (fall is not None and fall > HEMOGLOBIN_FALL)):
        fires["anaemia"] = ("warning", "")
    return fires


def _chemistry(record: Record, course: Course) -> Fires:
    """Lipids, creatinine, liver enzymes, sugar."""
    fires: Fires = {}
    fat, cholesterol = labs.newest(record, "triglycerides"), labs.newest(record, "cholesterol")
    much = cholesterol is not None and cholesterol.value > CHOLESTEROL_4
    if fat and fat.value > TRIGLYCERIDES_4:
        fires["hyperlipidaemia"] = ("critical", "")
    elif (fat and fat.value > TRIGLYCERIDES_3) or (cholesterol and cholesterol.value > CHOLESTEROL_3):
        fires["hyperlipidaemia"] = ("warning", "cholesterol above 500" if much else "")
    elif cholesterol and cholesterol.value > CHOLESTEROL_2:
        fires["hyperlipidaemia"] = ("info", "")
    rise = labs.creatinine_ratio(record, course)
    if rise is not None and rise > CREATININE_2:
        fires["renal-decline"] = ("warning", "")
    enzymes = labs.liver_enzymes(record)
    if enzymes is not None and enzymes > ENZYMES_2:
        fires["liver-enzymes"] = ("warning" if enzymes > ENZYMES_3 else "info", "")
    high = labs.diabetic(labs.newest(record, "glucose")) or labs.diabetic(labs.newest(record, "hba1c"))
    known = course.start is not None and labs.start_stands(course)
    # nothing lies before a course that is not there; and what is found before the first dose is not of it
    nowhere = course.start is None and readings.HARM_AFTER_A_STOP and not ordered(record)
    if high and (nowhere or (known and course.start and not labs.was_diabetic(record, course.start))):
        fires["hyperglycaemia"] = ("info", "")
    return fires


def _urine(record: Record, d: Dosing) -> Fires:
    """Protein in urine, on the second sample, "by protein or by albumin-creatinine ratio"; a child has other limits."""
    child = d.group == "child"
    urgencies = set()
    for name, (adult_from, child_from) in PROTEIN.items():
        pair = labs.two_samples(record, name)
        if pair is None:
            continue
        lower = min(pair[0].value, pair[1].value)
        adult_high, child_high = harms.NEPHROTIC[name]
        if lower > child_high if child else lower >= adult_high:
            urgencies.add("critical")
        elif lower >= (child_from if child else adult_from):
            urgencies.add("warning")
    return {"proteinuria": (min(urgencies), "")} if urgencies else {}
