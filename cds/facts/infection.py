"""Infections that sirolimus may wake: hepatitis B, and Pneumocystis where the risk is new."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from cds.chart.model import DrugUse, Lab, Unread
from cds.chart.samples import distinct
from cds.chart.times import Moment
from cds.facts.episodes import Episode, episodes
from cds.facts.record import Named, on_day, reported, said
from cds.facts.situation import Situation
from cds.facts.steroids import steroid_from

_COUNTS = ("lymphocytes",)  # not neutrophils: what prevents the infection can lower them further


def put_infection(situation: Situation) -> None:
    """State both, where sirolimus is taken or being ordered."""
    if situation.taking or situation.drafts:
        _put_hepatitis_b(situation)
        _put_pneumocystis(situation)


def _put_hepatitis_b(situation: Situation) -> None:
    facts, chart = situation.facts, situation.chart
    found = [(f"{each.display.lower()} on the problem list", each.reference) for each in chart.problems
             if each.name == "hepatitis-b" and each.active]  # fmt: skip
    antigen = _newest(chart.lab("hbsag"))
    if antigen is not None and antigen.positive:
        found.append((f"surface antigen positive on {on_day(antigen.moment)}", antigen.reference))
    is_passive = passive_antibodies(situation)
    own = [lab for lab in chart.lab("anti-hbc") if _clear(lab) and lab.positive and not is_passive(lab)]
    if (antibody := _newest(own)) is not None:
        found.append((f"core antibody positive on {on_day(antibody.moment)}", antibody.reference))
    load = _newest(chart.lab("hbv-dna"))
    if load is not None and load.positive:
        found.append((f"viral load detected on {on_day(load.moment)}", load.reference))
    covered = list(_covered(situation, load))
    facts.put("hepatitis_b_covered", bool(covered), *covered)
    if found:
        facts.put("hepatitis_b", "; ".join(words for words, _ in found), *(reference for _, reference in found))
    else:
        facts.miss("no sign of hepatitis B is on record", "hepatitis_b")


def _clear(lab: Lab) -> bool:
    return lab.moment is not None and not lab.problem and lab.status != "preliminary"


def _newest(labs: list[Lab]) -> Lab | None:
    """The newest clear answer; of two at one time the positive one."""
    known = [lab for lab in labs if _clear(lab)]
    return max(known, key=lambda lab: (lab.moment.sort_key() if lab.moment else (), lab.positive), default=None)


def passive_antibodies(situation: Situation) -> Callable[[Lab], bool]:
    """Says of a positive core antibody whether it may come from immunoglobulin that was given in the half year before it."""
    spans = sorted(
        (use.start.day, _last_day(situation, use))
        for use in situation.chart.drugs
        if use.valueset == "immunoglobulin" and not use.draft and use.start is not None
    )
    starts = [start for start, _ in spans]
    reached = list(itertools.accumulate((end for _, end in spans), max))  # the latest end of all that began by then
    days = timedelta(days=situation.days("passive_antibody"))

    def is_passive(lab: Lab) -> bool:
        place = bisect_right(starts, lab.moment.day) if lab.moment is not None else 0
        return place > 0 and lab.moment is not None and lab.moment.day <= reached[place - 1] + days

    return is_passive


def _last_day(situation: Situation, use: DrugUse) -> date:
    """The last day on which a drug was given, as far as the record says."""
    if use.end is not None:
        return use.end.day
    assert use.start is not None
    return situation.now.date() if use.status == "active" and not use.given else use.start.day


def _covered(situation: Situation, load: Lab | None) -> Iterator[str]:
    """An antiviral that is taken or being ordered; a recent viral load that found nothing, or an open order of one."""
    for episode in episodes(situation, "hbv-antiviral"):
        if episode.active:
            yield from episode.references
    yield from (use.reference for use in situation.chart.drugs if use.valueset == "hbv-antiviral" and use.draft)
    if load is not None and load.positive:
        return
    recent = situation.days("hbv_dna_valid")
    if load is not None and load.moment is not None and load.moment.days_until(situation.now) <= recent:
        yield load.reference
    yield from situation.chart.ordered("hbv-dna")


def _put_pneumocystis(situation: Situation) -> None:
    """What puts the patient at risk, while it is new; and whether something against it is taken."""
    facts = situation.facts
    taken = [each for each in episodes(situation, "pjp-prophylaxis") if each.active]
    drafts = [use.reference for use in situation.chart.drugs if use.valueset == "pjp-prophylaxis" and use.draft]
    references = [reference for each in taken for reference in each.references] + drafts
    facts.put("pneumocystis_prophylaxis", bool(references), *references)
    risks = list(_risks(situation))
    if risks:
        facts.put("pneumocystis_risks", risks, *(reference for risk in risks for reference in risk.references))
    else:
        facts.miss("no such risk is new", "pneumocystis_risks")


def unreadable_hepatitis_tests(situation: Situation) -> Iterator[Unread]:
    """Results that would speak of hepatitis B and cannot be read."""
    for lab in situation.chart.lab("hbsag", "anti-hbc", "hbv-dna"):
        if lab.problem:
            yield Unread(lab.reference, lab.problem, "hepatitis-b")


def _risks(situation: Situation) -> Iterator[Named]:
    shown = situation.days("risk_shown")
    begins = bool(situation.drafts) and not situation.taking  # then sirolimus itself is what is new
    infant = situation.surely_under("infant_age", situation.now.date())
    if infant and (situation.day or 0) <= shown:
        yield Named(f"age under {situation.days('infant_age')} years", "", (situation.chart.patient_reference,))
    high = steroid_from(situation, situation.definitions["pneumocystis_steroid"])
    if high is not None and high.start is not None:
        days = high.start.days_until(situation.now) - situation.days("pneumocystis_steroid_days")
        start = situation.course.start
        new = min(days, start.days_until(situation.now)) if start is not None else days
        if days >= 0 and (begins or new <= shown):
            dose = said(situation.definitions["pneumocystis_steroid"])
            yield Named("corticosteroid", f"{dose} mg/day of prednisone or more since {on_day(high.start)}", (high.reference,))  # fmt: skip
    for episode in episodes(situation, *situation.knowledge.with_role("suppressant")):
        acts = episode.active or _still_acts(situation, episode)
        if acts and (begins or _met_lately(situation, episode, shown)):
            yield Named(episode.name, f"a second immunosuppressant, since {on_day(episode.start)}", episode.references)
    for name in _COUNTS:
        newest = next((lab for lab in distinct(situation.chart.lab(name)) if lab.status != "preliminary"), None)
        if newest is not None and newest.amount and newest.moment and not newest.amount.comparator.startswith(">"):
            recent = newest.moment.days_until(situation.now) <= situation.days("lab_recent")
            if recent and newest.amount.value < situation.definitions[f"{name}_grade_3"]:
                yield Named(f"few {name}", reported(newest, situation.unit(name)), (newest.reference,))


def _still_acts(situation: Situation, episode: Episode) -> bool:
    """Rituximab goes on acting for months after its last infusion."""
    if episode.valueset != "rituximab" or episode.end is None:
        return False
    return episode.end.days_until(situation.now) <= situation.days("rituximab_acts")


def _met_lately(situation: Situation, episode: Episode, shown: int) -> bool:
    """Whether the later of the two drugs began so lately."""
    starts = [moment for moment in (episode.start, situation.course.start) if moment is not None]
    return bool(starts) and max(starts, key=Moment.sort_key).days_until(situation.now) <= shown
