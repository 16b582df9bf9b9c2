"""Chart in, facts out: the order in which one fact needs another."""

from __future__ import annotations

from datetime import datetime

from cds.chart.model import Chart, Hook
from cds.facts.allergies import put_allergies
from cds.facts.criteria import read_response
from cds.facts.danger import put_danger
from cds.facts.diagnosis import put_diagnosis
from cds.facts.dosing import put_dose, put_patient, put_support, support
from cds.facts.gaps import put_draft_gaps, put_gaps, relevant
from cds.facts.harm import put_harm
from cds.facts.infection import put_infection
from cds.facts.interactions import put_interactions
from cds.facts.level_history import put_exposure, put_levels_in_time
from cds.facts.levels import judge_levels
from cds.facts.lungs import put_lungs
from cds.facts.monitoring import put_monitoring
from cds.facts.ordering import put_ordering, put_population, put_product
from cds.facts.platelets import put_count, read_counts
from cds.facts.pregnancy import put_pregnancy
from cds.facts.proposal import put_draft_answer, put_proposals
from cds.facts.record import Named
from cds.facts.response import put_response
from cds.facts.restart import put_restart
from cds.facts.situation import Situation, read_situation
from cds.facts.steroids import put_steroid
from cds.facts.surgery import put_past_surgery, put_surgery
from cds.facts.toxicity import put_toxicity
from cds.facts.trough import put_levels, put_liver_answer
from cds.facts.withhold import put_withheld
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
    situation.judged = judge_levels(situation)
    facts.put("about_sirolimus", situation.speaks_of_sirolimus)
    put_patient(situation)
    put_count(situation)
    _put_safety(situation)
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


def _put_safety(situation: Situation) -> None:
    """What is dangerous beside sirolimus: critical cards of it are shown with any draft."""
    put_pregnancy(situation)
    put_harm(situation)
    put_lungs(situation)
    put_allergies(situation)
    put_toxicity(situation)
    put_past_surgery(situation)


def _speak(situation: Situation) -> None:
    judged = situation.judged
    put_diagnosis(situation)
    put_danger(situation)
    put_steroid(situation)
    put_infection(situation)
    response = read_response(situation)
    put_response(situation, response)
    acted = put_levels(situation, judged)
    put_exposure(situation)
    put_dose(situation)
    by = support(situation, judged)
    put_support(situation, by)
    put_liver_answer(situation)
    put_product(situation)
    put_population(situation)
    put_withheld(situation)
    put_proposals(situation, by, acted)
    put_draft_answer(situation, by, acted)
    put_restart(situation)
    put_ordering(situation)
    put_monitoring(situation)
    put_levels_in_time(situation, judged)
    put_gaps(situation, judged, response)
