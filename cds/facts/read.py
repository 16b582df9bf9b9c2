"""Chart in, facts out: the order in which one fact needs another."""

from __future__ import annotations

from datetime import datetime

from cds.chart.model import Chart, Hook
from cds.facts.allergies import put_allergies
from cds.facts.criteria import read_response
from cds.facts.danger import put_danger
from cds.facts.dosing import put_dose, put_patient, put_support, support
from cds.facts.gaps import put_draft_gaps, put_gaps, relevant
from cds.facts.harm import put_harm
from cds.facts.infection import put_infection
from cds.facts.interactions import put_interactions
from cds.facts.level_history import put_levels_in_time
from cds.facts.levels import best_exposure, judge_levels
from cds.facts.monitoring import put_monitoring
from cds.facts.ordering import put_ordering
from cds.facts.others import put_diagnosis, put_pregnancy
from cds.facts.platelets import put_count, read_counts
from cds.facts.proposal import put_draft_answer, put_proposals
from cds.facts.record import Named, reported
from cds.facts.response import put_response
from cds.facts.situation import Situation, read_situation
from cds.facts.surgery import put_surgery
from cds.facts.toxicity import put_toxicity
from cds.facts.trough import put_levels
from cds.knowledge.compiled import Knowledge


def read_facts(chart: Chart, knowledge: Knowledge, hook: Hook, now: datetime) -> Situation:
    """The situation with its facts filled in.

    Without sirolimus taken, ordered, just stopped or measured, there is nothing to say and the record
    stays empty but for the question itself.
    """
    situation = read_situation(chart, knowledge, hook, now)
    facts = situation.facts
    facts.put("ordering", situation.ordering)
    if not relevant(situation):
        facts.miss(_DIED if chart.deceased else "sirolimus is neither taken nor ordered", *_NOTHING)
        if chart.deceased and situation.drafts:
            facts.put("gaps", [Named("Nothing", _DIED, (chart.patient_reference,), "daily_dose")])
        return situation
    situation.counts = read_counts(situation)
    put_count(situation)
    put_interactions(situation)
    put_surgery(situation)
    if situation.speaks_of_sirolimus:
        _speak(situation)
    else:
        put_draft_gaps(situation)
        facts.miss("sirolimus is not among the draft orders", *_NOTHING)
    return situation


_DIED = "the record says that this patient has died"
_NOTHING = ("daily_dose", "trough", "newest_level", "unusable_level", "landmark_response", "current_response")


def _speak(situation: Situation) -> None:
    facts = situation.facts
    put_patient(situation)
    put_diagnosis(situation)
    put_pregnancy(situation)
    put_danger(situation)
    put_toxicity(situation)
    put_harm(situation)
    put_allergies(situation)
    put_infection(situation)
    response = read_response(situation)
    put_response(situation, response)
    judged = judge_levels(situation)
    acted = put_levels(situation, judged)
    best = best_exposure(situation, judged)
    reached = (
        best is not None
        and best.lab.amount is not None
        and best.lab.amount.value >= situation.knowledge.protocol.numbers["trough_low"]
    )
    facts.put("exposure_reached", reached, *([best.lab.reference] if best else []))
    facts.put("best_trough", reported(best.lab, "ng/mL") if best else "none usable")
    put_dose(situation)
    by = support(situation, judged)
    put_support(situation, by)
    put_proposals(situation, by, acted)
    put_draft_answer(situation, by, acted)
    put_ordering(situation)
    put_monitoring(situation)
    put_levels_in_time(situation, judged)
    put_gaps(situation, judged, response)
