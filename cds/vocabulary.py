"""Every fact a rule may speak of: its type, unit, step and meaning.

The vocabulary is closed: a rule that names anything else is refused when it is read, and the
engine takes nothing that is not listed here. A fact that is not known is absent from the record;
it is never null, zero or a guess.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, NamedTuple

FactType = Literal["number", "code", "flag", "names", "text"]


class Fact(NamedTuple):
    """One entry of the vocabulary.

    ``meaning`` says numbers of definitions and protocol by ``{name}``.

    ``number`` facts carry a unit and the step by which cases and mutants move them; ``code`` facts
    one of ``codes``; ``flag`` facts true or false; ``names`` facts a list of named things (a rule can
    only ask whether there are any); ``text`` facts are shown and never compared.
    """

    name: str
    type: FactType
    meaning: str
    unit: str = ""
    step: Decimal = Decimal(1)
    codes: tuple[str, ...] = ()


def _number(name: str, unit: str, step: str, meaning: str) -> Fact:
    return Fact(name, "number", meaning, unit, Decimal(step))


def _code(name: str, codes: str, meaning: str) -> Fact:
    return Fact(name, "code", meaning, codes=tuple(codes.split()))


def _flag(name: str, meaning: str) -> Fact:
    return Fact(name, "flag", meaning)


def _names(name: str, meaning: str) -> Fact:
    return Fact(name, "names", meaning)


def _text(name: str, meaning: str) -> Fact:
    return Fact(name, "text", meaning)


MG_DAY = "mg/day"
NG_ML = "ng/mL"
COUNT = "10^9/L"
WIDEST = "starting-or-maintenance"
"""The phase of a course whose start nobody knows: its dose is held against the widest window."""
_STATE = "unsettled out_of_target in_target"

_ALL: tuple[Fact, ...] = (
    # who, and what is being asked
    _flag("ordering", "the question comes from an order hook (order-select or order-sign)"),
    _flag("about_sirolimus", "the question is about sirolimus: the chart is opened, or sirolimus is among the drafts"),
    _code("age_group", "adult child", "adult or child by the age on the order's date"),
    _flag("itp_on_record", "immune thrombocytopenia is on the problem list or is the order's reason"),
    _names("gaps", "what could not be read or is missing, and what it keeps from being judged"),
    # the course and its dose
    _code(
        "phase",
        f"starting maintenance {WIDEST}",
        "starting before day {maintenance_from} of the course, then maintenance; either, where the start is not known",
    ),
    _number("days_on_sirolimus", "day", "1", "days since the first dose of this course, which is day 0"),
    _number("days_since_change", "day", "1", "days since sirolimus was started, changed, held or resumed"),
    _text("dose_history", "the doses of this course with the days from which they were taken, holds as none"),
    _number("daily_dose", MG_DAY, "0.1", "sirolimus per day: the draft order's on order hooks, else the active one's"),
    _number("largest_dose_on_one_day", "mg", "0.1", "the most sirolimus taken on any one day, whatever the rhythm"),
    _number("dose_per_kg", "mg/kg/day", "0.01", "daily dose by body weight"),
    _number(
        "dose_per_kg_at_least",
        "mg/kg/day",
        "0.01",
        "the least that the daily dose is by weight, where no recent weight is on record",
    ),
    _text("heaviest_weight", "the most that the patient can weigh, by an old weight or for the age, in words"),
    _number("dose_per_m2", "mg/m2/day", "0.1", "daily dose by body surface (Mosteller)"),
    _flag("size_limits_apply", "a child, or an adult under {small_adult_weight} kg: the dose is judged by size too"),
    _flag("dose_enough_by_weight", "a child's dose is enough by weight, though below the flat window"),
    _flag("starting_dose_accepted", "the dose lies in the starting window and may stay there for now"),
    _flag(
        "dose_supported_by_trough",
        "scaled to this dose, a usable level would be in target; false when no level says so",
    ),
    _number("window_dose", MG_DAY, "0.1", "the bound of the dose window nearest to the dose, where it may be offered"),
    _number("size_dose", MG_DAY, "0.1", "the dose by body weight for a small patient, where it may be offered"),
    _number("step_down_dose", MG_DAY, "0.1", "the next smaller dose of a patient in response, if it may be offered"),
    _text("weight", "body weight, with its date"),
    _text("body_surface", "body surface"),
    _text("surface_note", "why body surface is not known"),
    _text("order_working", "the orders that the dose was read from"),
    _text("infant_note", "under {infant_age} years: dose by a specialist only"),
    _names("conflicting_orders", "orders that nobody can say whether they add up, each with its dose"),
    _text("conflict_total", "what they are together"),
    _flag("draft_changes_dose", "the draft is another dose than the one that is taken"),
    _flag("draft_raises", "the draft starts sirolimus, takes it up again, or asks for more than is taken"),
    _flag("cut_for_a_reason", "the draft is less, and the level is above the target or a harm asks for less"),
    _flag("restart_after_harm", "the draft takes sirolimus up again after a course in which it did harm"),
    _names("harms", "what is on record that asks for less sirolimus, each with its days"),
    _names("rise_withheld", "why nothing offers a higher dose: the harms, and what else speaks against it"),
    _code("product", "tablets solution", "what the dose that is judged is taken as, where the order says so"),
    _names("sirolimus_drafts", "the draft orders of sirolimus"),
    _text("product_switch", "from tablets to solution or back, with no level since"),
    _flag("first_order", "the draft is the first order of sirolimus on record"),
    _flag("first_line_on_record", "a corticosteroid, immunoglobulin or anti-D is on record"),
    _names(
        "secondary_itp", "Evans syndrome, lupus, lymphoproliferation or another cause of thrombocytopenia on record"
    ),
    # levels
    _code(
        "level_wait",
        "first after_change stable",
        "since what there has been no level: the start, a change, the level before",
    ),
    _number("days_without_level", "day", "1", "days since then"),
    _text("level_wait_report", "since when there has been no level"),
    _number("exposure_ratio", "x", "0.01", "level by mg of daily dose over the same of the usable level before"),
    _flag("exposure_explained", "an interacting drug was started or stopped between the two, or shortly before"),
    _text("exposure_report", "the newer level, and the exposure by mg of both"),
    _text("assay_change", "the assays of the two newest levels that name one, where they differ"),
    _number("trough", NG_ML, "0.1", "the newest usable sirolimus level since the last change"),
    _number("trough_age", "day", "1", "days since that level was drawn"),
    _number("trough_under", NG_ML, "0.1", "that level, where the laboratory reports only 'less than' this"),
    _number("trough_at_most", NG_ML, "0.1", "that level, where the laboratory reports only 'at most' this"),
    _number("trough_over", NG_ML, "0.1", "that level, where the laboratory reports only 'more than' this"),
    _number("trough_at_least", NG_ML, "0.1", "that level, where the laboratory reports only 'at least' this"),
    _code(
        "trough_basis",
        "usable early_after_increase early_after_decrease missed_but_high",
        "usable; or drawn before steady state after a start or increase, or after a decrease; or above the target in spite of missed doses",
    ),
    _flag("trough_answered_by_draft", "the draft order already corrects that level"),
    _flag("timed_level_needless", "the time since the dose is known, or a level is already on order"),
    _text("trough_report", "that level as reported, with its date"),
    _text("trough_working", "how that level was judged"),
    _flag(
        "in_response",
        "the newest usable platelet count, at most {response_current} days old, is a CR or PR and confirmed; false when not known",
    ),
    _flag(
        "response_unclear",
        "another treatment explains the newest count of {partial_count} or more, or a confirmed response was not looked at for {response_current} days",
    ),
    _text("response_known", "the response at the newest usable count, or that it is not known"),
    _number("proposed_dose", MG_DAY, "0.1", "the proposed dose, where one may be offered"),
    _text("proposal_working", "the raw number, the rounding, the cap and the predicted level, or why there is none"),
    _text("next_level_date", "when to draw the level after a change today"),
    _number(
        "newest_level", NG_ML, "0.1", "the newest level, of use or not, unless known to be drawn too soon after a dose"
    ),
    _flag("level_above", "the newest level at the present dose, of use or not, is above the target"),
    _number("newest_level_over", NG_ML, "0.1", "that level, where reported only as 'more than' this"),
    _number("newest_level_at_least", NG_ML, "0.1", "that level, where reported only as 'at least' this"),
    _text("newest_level_report", "that level as reported, with its date"),
    _code(
        "unusable_level",
        "too_soon_after_dose late_after_dose doses_missed not_at_steady_state nearly_at_steady_state "
        "interacting_drug_changed wrong_specimen preliminary",
        "why the newest level cannot steer the dose",
    ),
    _text("unusable_level_report", "the newest level as reported, with its date"),
    _text("unusable_level_why", "why it cannot steer the dose, in words"),
    _text("next_draw", "when to draw the level again"),
    _flag("level_ordered", "a sirolimus level is already on order"),
    # response
    _code("landmark_response", "complete partial not_evaluable", "the response at the landmark now shown"),
    _number("landmark", "month", "3", "the landmark now shown"),
    _flag("landmark_confirmed", "that category is confirmed by a count at least {confirm_apart} days earlier"),
    _text("landmark_count", "the platelet count that decides, with its date"),
    _text("confirmation", "how the category was confirmed, or that it is not"),
    _text("baseline", "the platelet count before the first dose, with its date, or that there is none"),
    _text("not_evaluable_why", "why the response at the landmark cannot be evaluated"),
    _text("bleeding", "bleeding on record near the count, or that none is documented"),
    _text("treg_trend", "regulatory T cells over time, within one code"),
    _code("current_response", "complete partial none", "the response at the newest usable count"),
    _number("response_count", COUNT, "1", "that count"),
    _flag("response_bled", "bleeding belongs to that count"),
    _text("given_beside", "what else was given since the start of sirolimus that may raise platelets"),
    _number(
        "days_in_response", "day", "1", "days since the count that first confirmed a response that has lasted since"
    ),
    _number("days_since_new_result", "day", "1", "days since the newest level or platelet count"),
    _text("current_count", "the newest usable count, with its date, and whether a second one agrees"),
    _flag("exposure_reached", "at least one usable trough of this course is at or above the target's floor"),
    _text("best_trough", "the highest usable trough of this course"),
    _flag("response_was_confirmed", "this course had a confirmed CR or PR"),
    _flag("response_lost", "a confirmed CR or PR is gone on the two newest usable counts"),
    _text("response_change", "that a confirmed CR has become a PR"),
    _text("response_history", "the confirmed response and the counts that ended it"),
    # interactions and safety
    _names("strong_inhibitors", "strong CYP3A4 or P-gp inhibitors taken or ordered beside sirolimus"),
    _names("strong_inducers", "strong CYP3A4 or P-gp inducers taken or ordered beside sirolimus"),
    _text("active_inhibitors", "inhibitors that are taken now, however long: they may explain a high level"),
    _names(
        "moderate_modulators", "moderate CYP3A4 inhibitors or inducers beside sirolimus that no level in target answers"
    ),
    _names("moderate_inhibitors", "moderate CYP3A4 inhibitors taken or ordered beside sirolimus"),
    _names("moderate_inducers", "moderate CYP3A4 inducers taken or ordered beside sirolimus"),
    _code("strong_inhibitors_state", _STATE, "what a usable level says of them: nothing yet, out of target, in target"),
    _code("strong_inducers_state", _STATE, "what a usable level says of them"),
    _code("moderate_inhibitors_state", _STATE, "what a usable level says of them"),
    _code("moderate_inducers_state", _STATE, "what a usable level says of them"),
    _number("strong_inhibitors_level_age", "day", "1", "days since the level that shows what they do"),
    _number("strong_inducers_level_age", "day", "1", "days since the level that shows what they do"),
    _number("moderate_inhibitors_level_age", "day", "1", "days since the level that shows what they do"),
    _number("moderate_inducers_level_age", "day", "1", "days since the level that shows what they do"),
    _text("moderate_effect", "what these do to the level: rise, fall, or both, in words"),
    _flag("moderate_unsettled", "no usable level shows yet what a moderate modulator does"),
    _names("unsettled_inhibitors", "moderate inhibitors that no usable level has followed yet"),
    _flag("inhibitor_beside", "a strong or moderate inhibitor is taken, or drafted with sirolimus"),
    _names(
        "stopped_modulators", "inhibitors or inducers that ended during the course, with no level since that shows it"
    ),
    _names("stopped_inducers", "inducers that ended during the course, with no level since that shows it"),
    _names("ciclosporin", "ciclosporin taken or ordered beside sirolimus"),
    _names("mtor_inhibitors", "other mTOR inhibitors taken or ordered beside sirolimus"),
    _names("calcineurin_inhibitors", "tacrolimus taken or ordered beside sirolimus"),
    _flag("ciclosporin_new", "ciclosporin met sirolimus in the last {calcineurin_shown} days, or would by a draft"),
    _flag("calcineurin_new", "tacrolimus met sirolimus in the last {calcineurin_shown} days, or would by a draft"),
    _names("worsened", "platelets, haemoglobin or creatinine that became worse from the result before, lately"),
    _names("ace_inhibitors", "ACE inhibitors taken or ordered beside sirolimus"),
    _flag("angioedema_on_record", "angioedema is or was on the problem list"),
    _flag("angioedema_recent", "angioedema that began in the last {angioedema_acts} days and is not over"),
    _flag("angioedema_now", "angioedema that began in the last {angioedema_now_days} days and is not over"),
    _names("bleeding_risk_drugs", "NSAIDs, platelet inhibitors and anticoagulants taken or ordered beside sirolimus"),
    _flag("bleeding_risk_new", "such a drug, or the low count beside it, is new"),
    _names("live_vaccines", "live vaccines ordered beside sirolimus"),
    _names("unspecified_vaccines", "vaccines ordered by a code that does not say whether they are live"),
    _names("herbals", "St John's wort, cannabidiol or Schisandra that the patient takes without an order"),
    _names("herbal_inhibitors", "those of them that raise the level"),
    _names("grapefruit", "grapefruit or its juice, stated or ordered"),
    _number(
        "platelet_count",
        COUNT,
        "1",
        "the newest platelet count that is none of clumps or plasma, at most {count_recent} days old",
    ),
    _number("platelet_count_age", "day", "1", "days since that count was drawn"),
    _text("platelet_count_report", "that count as reported, with its date"),
    _flag("bleeding_now", "bleeding beyond the skin is going on, as far as the record says"),
    _flag(
        "bleeding_life_now", "bleeding that threatens life is going on: in the skull, the airway, behind the peritoneum"
    ),
    _flag("bleeding_gut_now", "bleeding from the stomach or bowel is going on, haemorrhoids apart"),
    _text("bleeding_now_report", "that bleeding, with its date, or that none is documented"),
    _flag(
        "stable_low_count",
        "{stable_counts} usable counts over {stable_count_days} days agree, without bleeding: a count that is known",
    ),
    _code(
        "unusable_count", "clumped wrong_specimen confounded", "why the newest platelet count says nothing of sirolimus"
    ),
    _text("unusable_count_report", "that count as reported, with its date"),
    _text("unusable_count_why", "why it cannot be used, in words"),
    _number("platelet_fall", "percent", "1", "fall of the newest usable count from the usable one before"),
    _text("platelet_fall_report", "the two counts of that fall, with their dates"),
    _number(
        "platelet_fall_lately", "percent", "1", "the same, if the newest usable count is of the last {tma_acts} days"
    ),
    _number("count_before", COUNT, "1", "the usable count before the newest one"),
    _number("usable_count", COUNT, "1", "the newest usable count, of the last {count_recent} days"),
    _number("days_from_count_before", "day", "1", "days between the two"),
    _number("prednisone_daily", MG_DAY, "0.5", "systemic corticosteroid taken now, as prednisone"),
    _number("days_on_steroid", "day", "1", "days for which that has been above the steroid dose of the definitions"),
    _text("steroid_report", "the corticosteroid, its dose as prednisone, and since when"),
    _number("neutrophils", COUNT, "0.1", "the newest neutrophil count, of the last {lab_recent} days"),
    _text("neutrophils_report", "that count as reported, with its date"),
    _number("hemoglobin", "g/dL", "0.1", "the newest haemoglobin, of the last {lab_recent} days"),
    _text("hemoglobin_report", "that value as reported, with its date"),
    _number(
        "hemoglobin_fall", "g/dL", "0.1", "its fall from the highest value of the {hemoglobin_fall_days} days before it"
    ),
    _number("triglycerides", "mg/dL", "1", "the newest triglycerides, of the last {lab_recent} days"),
    _text("triglycerides_report", "that value as reported, with its date"),
    _number("cholesterol", "mg/dL", "1", "the newest cholesterol, of the last {lab_recent} days"),
    _text("cholesterol_report", "that value as reported, with its date"),
    _number("proteinuria", "g/g", "0.1", "protein to creatinine in urine, the lower of two samples of different days"),
    _text("proteinuria_report", "the two samples, with their dates"),
    _number("creatinine_ratio", "x", "0.1", "the newest creatinine over the one before the course"),
    _text("creatinine_report", "the two values, with their dates"),
    _number(
        "creatinine_rise",
        "x",
        "0.1",
        "the newest creatinine over the lowest of the {creatinine_baseline_days} days before it",
    ),
    _number("triglycerides_lately", "mg/dL", "1", "the newest triglycerides, of the last {lipids_act} days"),
    _number("cholesterol_lately", "mg/dL", "1", "the newest cholesterol, of the last {lipids_act} days"),
    _number(
        "hemoglobin_fall_lately",
        "g/dL",
        "0.1",
        "the fall of haemoglobin, where the newest is of the last {tma_acts} days",
    ),
    _number(
        "proteinuria_lately",
        "g/g",
        "0.1",
        "protein in urine, where the newer of two samples is of the last {protein_acts} days",
    ),
    _number("albuminuria", "g/g", "0.1", "albumin to creatinine in urine, the lower of two samples of different days"),
    _number("albuminuria_lately", "g/g", "0.1", "the same, where the newer sample is of the last {protein_acts} days"),
    _text("albuminuria_report", "the two samples, with their dates"),
    _number(
        "liver_enzymes_lately", "x", "0.1", "the higher of ALT and AST over its limit, of the last {enzymes_act} days"
    ),
    _number("liver_enzymes", "x", "0.1", "the higher of ALT and AST over its laboratory's upper limit"),
    _text("liver_enzymes_report", "that value as reported, with its date"),
    _number("fasting_glucose", "mg/dL", "1", "the newest fasting glucose, of the last {lab_recent} days"),
    _text("fasting_glucose_report", "that value as reported, with its date"),
    _number("hba1c", "percent", "0.1", "the newest HbA1c, of the last {lab_recent} days"),
    _text("hba1c_report", "that value as reported, with its date"),
    _flag("glucose_was_high", "glucose or HbA1c was as high before the course began"),
    _names("lung_disease", "pneumonitis or interstitial lung disease that is active and began on sirolimus"),
    _names("lung_history", "pneumonitis or interstitial lung disease that began on sirolimus and is over"),
    _names(
        "lung_disease_before",
        "lung disease that is active and began before sirolimus, which a draft would start or take up again",
    ),
    _names("lung_harm", "lung disease that began on sirolimus, over or not"),
    _names("lung_new", "active lung disease of the last {lung_acts} days that began without sirolimus"),
    _flag("breathless", "breathlessness is an active condition"),
    _number("oxygen_saturation", "percent", "1", "the newest oxygen saturation, of the last {oxygen_recent} days"),
    _names("lasting_infections", "tuberculosis, invasive fungi and others that last for years, while active"),
    _names(
        "serious_infections",
        "serious infections of the last {infection_acts} days; tuberculosis and invasive fungi while active",
    ),
    _flag("sepsis", "sepsis is an active condition of the last {infection_acts} days"),
    _flag("febrile_neutropenia", "fever at a neutrophil count of nearly none, or so on the problem list"),
    _names("thrombosis", "venous or arterial thrombosis of the last {thrombosis_acts} days"),
    _names("microangiopathies", "thrombotic microangiopathy of the last {microangiopathy_acts} days"),
    _names("malignancies", "malignant disease that is active and not in remission"),
    _names("stomatitis", "stomatitis or mucositis of the last {stomatitis_acts} days"),
    _flag("stomatitis_mild", "the record says that it is mild"),
    _names("liver_disease", "cirrhosis or liver failure"),
    _flag("liver_answered", "a usable level drawn long enough after the last change shows what the liver does"),
    _flag("breastfeeding", "the patient breast-feeds, as far as the record says"),
    _number("bilirubin", "x", "0.1", "the newest bilirubin over its laboratory's upper limit"),
    _text("bilirubin_report", "that value as reported, with its date"),
    _flag("may_conceive", "a woman of an age at which pregnancy is possible"),
    _number("days_since_negative_test", "day", "1", "days since the newest negative pregnancy test"),
    _names("sirolimus_allergies", "allergies to sirolimus or another mTOR inhibitor on record"),
    _names("excipient_allergies", "allergies to peanut or soya on record"),
    _names("surgery_planned", "the next operation that is ordered or booked"),
    _number("days_to_surgery", "day", "1", "days until that operation"),
    _number("days_since_surgery", "day", "1", "days since the newest operation"),
    _text("hepatitis_b", "the antigen, antibody or condition that speaks of hepatitis B, with its date"),
    _flag("hepatitis_b_covered", "an antiviral is taken, or the viral load was measured lately or is on order"),
    _names("pneumocystis_risks", "what raises the risk of Pneumocystis pneumonia, while it is new"),
    _flag("pneumocystis_prophylaxis", "a drug against Pneumocystis is taken or being ordered"),
    _flag("observations_supplied", "all results were sent, so that one that is not there was not done"),
    _names("screening_positive", "infections found by the tests before a first dose, other than hepatitis B"),
    _names("baseline_missing", "tests wanted before a first dose that are not on record, or too old"),
    _names("tests_overdue", "blood and urine tests of the schedule that are overdue"),
    _flag("pregnancy_test_positive", "a positive pregnancy test in the last {pregnancy_test_valid} days"),
    _flag("pregnancy_on_record", "pregnancy is an active condition"),
    _text("pregnancy_evidence", "the test or condition, with its date"),
)

RENAMED = {"cut_for_high_level": "cut_for_a_reason"}
"""Facts of rules that were written for an earlier version, and what they are called now."""

INNER = frozenset(
    f"moderate_{kind}{what}"
    for kind, what in (
        ("inhibitors", ""), ("inhibitors", "_state"), ("inhibitors", "_level_age"), ("inducers", "_state"), ("inducers", "_level_age")
    )
)  # fmt: skip
"""Facts that only other facts read; `explain` shows them."""
KNOWN_WITH = {"dose_per_m2": "daily_dose", "dose_per_kg": "daily_dose"}
"""Facts that are computed from another, which is therefore known whenever they are."""

OFFERS = {
    "proposed_dose": "rise_withheld is absent",
    "window_dose": "rise_withheld is absent",
    "size_dose": "rise_withheld is absent",
    "step_down_dose": "rise_withheld is absent",
}
"""Invariants of the facts: a dose that may be offered, where it is above the one that is judged or taken, implies this.

The proof that no cards point opposite ways leans on them; property tests hold them against random charts.
"""

FACTS = 3
"""Raised when what a fact means changes in the program: every signature falls, for what was signed is no longer what is judged."""

VOCABULARY: dict[str, Fact] = {fact.name: fact for fact in _ALL}
