"""Interacting drugs, pregnancy, the diagnosis."""

from __future__ import annotations

from cds.chart.model import Lab, Unread
from cds.chart.times import Moment
from cds.facts.episodes import Episode, episodes
from cds.facts.record import Named, on_day
from cds.facts.situation import Situation


def put_diagnosis(situation: Situation) -> None:
    """Whether ITP is on record; windows, level cards and response cards need it."""
    problems = [problem.reference for problem in situation.chart.problems if problem.name == "itp" and problem.active]
    orders = [
        order.reference
        for order in (*situation.dose_orders, *(situation.course.current.orders if situation.course.current else []))
        if order.for_itp
    ]
    situation.facts.put("itp_on_record", bool(problems or orders), *problems, *orders)


def put_interactions(situation: Situation) -> None:
    """Strong inhibitors and inducers that meet sirolimus now, or would by a draft."""
    for valueset, name in (("strong-inhibitor", "strong_inhibitors"), ("strong-inducer", "strong_inducers")):
        found = _drafted(situation, valueset) if situation.ordering else []
        found += [_named(episode) for episode in episodes(situation, valueset) if _meets(situation, episode)]
        if not found:
            situation.facts.miss("no such drug meets sirolimus now", name)
            continue
        unique = {one.name: one for one in reversed(found)}
        listed = [unique[key] for key in sorted(unique)]
        situation.facts.put(name, listed, *(reference for one in listed for reference in one.references))


def _drafted(situation: Situation, valueset: str) -> list[Named]:
    """Draft partners, where this draft or one of sirolimus is being selected or signed."""
    also = situation.taking or situation.other_drafts
    return [
        Named(use.name, "draft order" + (", matched by name" if use.by_name else ""), (use.reference,))
        for use in situation.chart.drugs
        if use.valueset == valueset and use.draft and (situation.drafts or (use.selected and also))
    ]


def _meets(situation: Situation, episode: Episode) -> bool:
    """Whether a partner that is taken meets a draft of sirolimus, or a course that no level has followed since."""
    if not episode.active:
        return False
    if situation.ordering:
        return bool(situation.drafts)
    if not situation.taking:
        return False
    newest = next((lab.moment for lab in situation.levels if lab.moment is not None and not lab.wrong_specimen), None)
    starts = [moment for moment in (episode.start, situation.course.start) if moment is not None]
    return newest is None or episode.start is None or any(_not_before(start, newest) for start in starts)


def _not_before(start: Moment, drawn: Moment) -> bool:
    """Whether a level was drawn before a start, or on its day and not known to be later."""
    if start.day != drawn.day:
        return start.day > drawn.day
    return start.at is None or drawn.at is None or start.at > drawn.at


def _named(episode: Episode) -> Named:
    by_name = ", matched by name" if any(use.by_name for use in episode.uses) else ""
    return Named(episode.name, f"since {on_day(episode.start)}{by_name}", episode.references)


def put_pregnancy(situation: Situation) -> None:
    """A positive test of the last 30 days, or pregnancy as an active condition."""
    if not (situation.taking or situation.drafts) or situation.chart.gender == "male":
        return
    facts, now = situation.facts, situation.now
    known = [lab for lab in situation.chart.lab("hcg") if lab.moment is not None and not lab.problem]
    newest = max(known, key=lambda lab: (lab.moment.sort_key() if lab.moment else (), lab.positive), default=None)
    tests = [newest] if newest is not None and newest.positive and _recent(situation, newest) else []
    for lab in situation.chart.lab("hcg"):
        if lab.problem and (lab.moment is None or _recent(situation, lab)):
            situation.chart.unread.append(Unread(lab.reference, lab.problem, "pregnancy"))
    conditions = [
        problem
        for problem in situation.chart.problems
        if problem.name == "pregnant"
        and problem.active
        and (problem.end is None or problem.end.is_after(now))
        and (problem.onset is None or problem.onset.days_until(now) <= situation.days("pregnancy_longest"))
    ]
    if tests:
        facts.put("pregnancy_test_positive", True, *(lab.reference for lab in tests))
        facts.put("pregnancy_evidence", f"positive pregnancy test on {on_day(tests[0].moment)}")
    if conditions:
        facts.put("pregnancy_on_record", True, *(problem.reference for problem in conditions))
        if not tests:
            since = f" since {on_day(conditions[0].onset)}" if conditions[0].onset else ""
            facts.put(
                "pregnancy_evidence", f"pregnancy on the problem list{since}; consider closing it there if it has ended"
            )


def _recent(situation: Situation, lab: Lab) -> bool:
    assert lab.moment is not None
    return 0 <= lab.moment.days_until(situation.now) <= situation.days("pregnancy_test_valid")
