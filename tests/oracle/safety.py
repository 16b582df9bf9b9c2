"""Harm on sirolimus: rules/safety; docs/rules.md, "Facts"; docs/fhir.md for what is read of each resource.

Rules: allergy, anaemia, breastfeeding, contraception, hepatitis-b, hyperglycaemia, hyperlipidaemia, liver-enzymes,
neutropenia, pneumonitis, pregnancy, proteinuria, renal-decline, serious-infection, surgery-planned.
"""

from __future__ import annotations

from decimal import Decimal

from tests.oracle import labs, readings
from tests.oracle.codes import (
    BREASTFEEDING,
    BREATHLESS,
    EXCIPIENTS,
    INFECTIONS,
    LEVELS,
    OPERATIONS,
    PNEUMONITIS,
    PREGNANT,
    SCREENING,
    SEPSIS,
    SIROLIMUS_ALLERGENS,
    TABLET_MG,
)
from tests.oracle.counts import number
from tests.oracle.course import Course, sirolimus, still_counts, without_renewals
from tests.oracle.course import drafts as sirolimus_drafts
from tests.oracle.dosing import Dosing
from tests.oracle.hepatitis import hepatitis_b
from tests.oracle.interactions import listed
from tests.oracle.record import Record

Fires = dict[str, tuple[str, str]]

# rules/definitions.yaml
NEUTROPHILS_3, NEUTROPHILS_4 = Decimal(1), Decimal("0.5")
HEMOGLOBIN_3, HEMOGLOBIN_FALL = 8, 2
TRIGLYCERIDES_3, TRIGLYCERIDES_4, CHOLESTEROL_2, CHOLESTEROL_3 = 500, 1000, 300, 400
PROTEIN_ADULT, PROTEIN_ADULT_HIGH, PROTEIN_CHILD, PROTEIN_CHILD_HIGH = 1, Decimal("3.5"), Decimal("0.5"), 2
CREATININE_2 = Decimal("1.5")
ENZYMES_2, ENZYMES_3 = 3, 5
OXYGEN_LOW = 94
POSITIVE_TEST_VALID, NEGATIVE_TEST_VALID, PREGNANCY_LONGEST = 30, 7, 300
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


def ratio(value: Decimal) -> str:
    """A ratio as cards print it: two decimals."""
    return number(value.quantize(Decimal("0.01")))


def rules(record: Record, course: Course, d: Dosing, goes_on: bool) -> Fires:
    """The safety rules that fire. Those of the laboratory speak on opening the chart, the others everywhere.

    ``goes_on``: a level says that sirolimus is taken, and no order does.
    """
    fires: Fires = {}
    if not record.ordering and (
        taking(course) or (readings.HARM_AFTER_A_STOP and (still_counts(record, course) or goes_on))
    ):
        fires |= _conditions(record, course)
        fires |= _blood(record)
        fires |= _chemistry(record, course)
        fires |= _urine(record, course, d)
    if not (ordered(record) if record.ordering else taking(course)):
        # "while one of the two is signed": the operation is being ordered for one who takes sirolimus
        being_ordered = record.ordering and taking(course) and any(o.draft for o in record.operations)
        return _surgery(record) if being_ordered else fires
    fires |= _allergy(record, d)
    fires |= _pregnancy(record)
    fires |= _surgery(record)
    fires |= hepatitis_b(record)
    if record.ordering:
        fires |= _conditions(record, course)
    return fires


def product(d: Dosing) -> str:
    """Tablets or solution, where the order says so."""
    kinds = {
        "solution" if o.code == "314230" else "tablets" if o.code in TABLET_MG else ""
        for o in without_renewals(d.orders)
    }
    return kinds.pop() if len(kinds) == 1 else ""


def _allergy(record: Record, d: Dosing) -> Fires:
    """Sirolimus and its kin whatever the product; peanut and soya with the solution, or where nobody says."""
    allergens = [code for _, code in sorted(record.allergies)]
    if own := [SIROLIMUS_ALLERGENS[c] for c in allergens if c in SIROLIMUS_ALLERGENS]:
        text = f"Allergy on record: {listed(list(dict.fromkeys(own)))}; sirolimus is contraindicated"
        return {"allergy": ("critical", text)}
    excipients = list(dict.fromkeys(EXCIPIENTS[c] for c in allergens if c in EXCIPIENTS))
    if not excipients or product(d) == "tablets":
        return {}
    if product(d) == "solution":
        text = f"Allergy to {listed(excipients)}: the oral solution of sirolimus holds soya oil"
        return {"allergy": ("critical", text)}
    text = f"Allergy to {listed(excipients)}: if this is the oral solution of sirolimus, consider tablets"
    return {"allergy": ("info", text)}


def _pregnancy(record: Record) -> Fires:
    """A positive test of the last 30 days, or a pregnancy on record that is not older than one can be; not in a man."""
    tests = [t for t in record.tests if SCREENING[t.code] == "hcg"]
    positive = any(t.positive and (record.today - t.when.day).days <= POSITIVE_TEST_VALID for t in tests)
    noted = any(
        p.active and p.code in PREGNANT and (p.start is None or (record.today - p.start).days <= PREGNANCY_LONGEST)
        for p in record.problems
    )
    if (positive or noted) and record.gender != "male":
        return {"pregnancy": ("critical", "Pregnancy on sirolimus: consider stopping and urgent review")}
    may_conceive = record.gender == "female" and FERTILE_FROM <= record.age(record.today) <= FERTILE_TO
    negative = any(t.positive is False and (record.today - t.when.day).days <= NEGATIVE_TEST_VALID for t in tests)
    if first_order(record) and may_conceive and not negative:
        text = "Before sirolimus: consider a pregnancy test, and contraception until 12 weeks after it"
        return {"contraception": ("info", text)}
    return {}


def _conditions(record: Record, course: Course) -> Fires:
    """What is an active condition: lungs, infections, breast-feeding."""
    fires: Fires = {}
    active = sorted((p for p in record.problems if p.active), key=lambda p: p.id)
    taken = not first_order(record) or any(v.code in LEVELS for v in record.values)
    unseen = readings.LUNGS_OF_AN_UNSEEN_COURSE and course.start is None and taken
    lungs = any(
        p.code in PNEUMONITIS
        and (unseen or (course.start is not None and p.start is not None and p.start >= course.start))
        for p in active
    )
    oxygen = labs.newest(record, "oxygen", days=labs.OXYGEN_RECENT)
    breathless = any(p.code == BREATHLESS for p in active) and oxygen is not None and oxygen.value < OXYGEN_LOW
    if lungs or breathless:
        text = "Possible sirolimus pneumonitis, whatever the level: consider holding it and imaging now"
        fires["pneumonitis"] = ("critical", text)
    infections = list(dict.fromkeys(INFECTIONS[p.code] for p in active if p.code in INFECTIONS))
    advice = "consider holding it, and look at the drugs given for it"
    if any(p.code == SEPSIS for p in active):
        fires["serious-infection"] = ("critical", f"Sepsis on sirolimus: {advice}")
    elif infections:
        text = f"Serious infection on sirolimus ({listed(infections)}): {advice}"
        fires["serious-infection"] = ("warning", text)
    if any(p.code in BREASTFEEDING for p in active):
        text = "Breast-feeding on sirolimus is not recommended: consider another drug, or weaning"
        fires["breastfeeding"] = ("warning", text)
    return fires


def _surgery(record: Record) -> Fires:
    """The next operation that is ordered or booked, when at most 14 days lie before it."""
    ahead = sorted((o for o in record.operations if o.due), key=lambda o: o.due or record.today)
    if not ahead or ahead[0].due is None or (ahead[0].due - record.today).days > SURGERY_NOTICE:
        return {}
    next_ones = [o for o in ahead if o.due == ahead[0].due]
    name = listed(list(dict.fromkeys(OPERATIONS.get(o.code, "surgical procedure") for o in next_ones)))
    return {"surgery-planned": ("warning", f"Surgery ahead on sirolimus ({name}): wound healing against relapse")}


def _blood(record: Record) -> Fires:
    """Neutrophils and haemoglobin, by the grades of the toxicity criteria, version 5."""
    fires: Fires = {}
    cells = labs.newest(record, "neutrophils")
    if cells and cells.value < NEUTROPHILS_4:
        text = f"Neutrophils {cells.report}: grade 4 (CTCAE 5); consider holding sirolimus"
        fires["neutropenia"] = ("critical", text)
    elif cells and cells.value < NEUTROPHILS_3:
        fires["neutropenia"] = ("warning", f"Neutrophils {cells.report}: grade 3 (CTCAE 5) on sirolimus")
    blood, fall = labs.newest(record, "hemoglobin"), labs.hemoglobin_fall(record)
    if blood and (blood.value < HEMOGLOBIN_3 or (fall is not None and fall > HEMOGLOBIN_FALL)):
        text = f"Haemoglobin {blood.report}: consider bleeding, haemolysis (Evans) or microangiopathy"
        fires["anaemia"] = ("warning", text)
    return fires


def _chemistry(record: Record, course: Course) -> Fires:
    """Lipids, creatinine, liver enzymes, sugar."""
    fires: Fires = {}
    fat, cholesterol = labs.newest(record, "triglycerides"), labs.newest(record, "cholesterol")
    treat = "on sirolimus: consider diet, a lower dose and treatment"
    if fat and fat.value > TRIGLYCERIDES_4:
        text = f"Triglycerides {fat.report} on sirolimus: danger of pancreatitis, consider holding it"
        fires["hyperlipidaemia"] = ("critical", text)
    elif fat and fat.value > TRIGLYCERIDES_3:
        fires["hyperlipidaemia"] = ("warning", f"Triglycerides {fat.report} {treat}")
    elif cholesterol and cholesterol.value > CHOLESTEROL_3:
        fires["hyperlipidaemia"] = ("warning", f"Cholesterol {cholesterol.report} {treat}")
    elif cholesterol and cholesterol.value > CHOLESTEROL_2:
        text = f"Cholesterol {cholesterol.report} on sirolimus: consider diet and treatment"
        fires["hyperlipidaemia"] = ("info", text)
    rise = labs.creatinine_ratio(record, course)
    if rise is not None and rise > CREATININE_2:
        fires["renal-decline"] = ("warning", f"Creatinine {ratio(rise)} times the value before sirolimus")
    enzymes = labs.liver_enzymes(record)
    if enzymes is not None and enzymes > ENZYMES_2:
        text = f"Liver enzymes at {ratio(enzymes)} times the upper limit on sirolimus"
        fires["liver-enzymes"] = ("warning" if enzymes > ENZYMES_3 else "info", text)
    high = labs.diabetic(labs.newest(record, "glucose")) or labs.diabetic(labs.newest(record, "hba1c"))
    known = course.start is not None and labs.start_stands(course)
    nowhere = course.start is None and readings.HARM_AFTER_A_STOP  # nothing lies before a course that is not there
    if high and (nowhere or (known and course.start and not labs.was_diabetic(record, course.start))):
        text = "New high blood sugar on sirolimus: consider a repeat and the steroid"
        fires["hyperglycaemia"] = ("info", text)
    return fires


def _urine(record: Record, course: Course, d: Dosing) -> Fires:
    """Protein in urine, on the second sample; a child has limits of its own."""
    pair = labs.proteinuria(record)
    if pair is None:
        return {}
    child = d.group == "child"
    lower = min(pair[0].value, pair[1].value)
    told = f"{pair[1].report}, after {pair[0].report}"
    if lower > PROTEIN_CHILD_HIGH if child else lower >= PROTEIN_ADULT_HIGH:
        text = f"Proteinuria in the nephrotic range on two samples, {told}: consider stopping sirolimus"
        return {"proteinuria": ("critical", text)}
    if lower >= (PROTEIN_CHILD if child else PROTEIN_ADULT):
        return {"proteinuria": ("warning", f"Proteinuria on two samples, {told}: consider nephrology")}
    return {}
