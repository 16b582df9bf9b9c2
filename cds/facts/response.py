"""The facts about response: at the landmarks, now, and whether it was lost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cds.chart.model import Event
from cds.chart.times import Moment
from cds.facts.criteria import RESPONDS, Response
from cds.facts.platelets import Count
from cds.facts.record import listed, on_day, said
from cds.facts.situation import Situation

_WORDS = {"complete": "CR", "partial": "PR", "none": "no response"}
_LANDMARKS = (
    (3, "landmark_3_from", "landmark_3_to"),
    (6, "landmark_6_from", "landmark_6_to"),
    (12, "landmark_12_from", "landmark_12_to"),
)
_EVENTS = ("platelet-transfusion", "splenectomy")
_EVER = 36500
_YEAR = 12  # months: a landmark that a protocol may leave out


def put_response(situation: Situation, response: Response | None) -> None:
    """The facts about response. Sets ``situation.in_response``."""
    facts = situation.facts
    if response is None:
        reason = "there is no course of sirolimus with a known start"
        facts.miss(reason, "landmark_response", "current_response", "response_was_confirmed", "response_lost")
        facts.put("in_response", False)
        facts.put("response_unclear", False)
        facts.put("response_known", "response not known")
        return
    usable = response.usable
    put_given_beside(situation)
    if response.baseline is not None:
        less = ", counted as that number" if response.baseline.comparator else ""
        facts.put(
            "baseline",
            f"{response.baseline.words()}{less}",
            response.baseline.lab.reference,
            on=response.baseline.moment.day,
        )
    else:
        facts.put("baseline", f"none: {response.baseline_why}")
    _put_current(situation, response, usable)
    if not situation.start_known:
        reason = "the start of the course is not known"
        facts.miss(reason, "landmark_response", "response_was_confirmed", "response_lost")
        return
    if _splenectomy(situation, _EVER) is None:
        _put_history(situation, response, usable)
    facts.miss("the spleen was removed during the course", "response_was_confirmed", "response_lost")
    for months, first, last in _LANDMARKS:
        if months == _YEAR and not situation.knowledge.protocol.yearly:
            continue
        _put_landmark(situation, response, usable, months, situation.days(first), situation.days(last))
    facts.miss("no landmark is being reached now", "landmark_response")
    _put_treg(situation)


def _put_current(situation: Situation, response: Response, usable: list[Count]) -> None:
    facts = situation.facts
    newest = usable[0] if usable else None
    category = response.category(newest) if newest is not None else ""
    recent = newest is not None and newest.moment.days_until(situation.now) <= situation.days("response_current")
    confirmed = newest is not None and response.confirmed_by(newest) is not None
    at_least_partial = newest is not None and response.confirmed_by(newest, "partial") is not None
    situation.in_response = recent and category in RESPONDS and (confirmed or at_least_partial)
    facts.put("in_response", situation.in_response, *([newest.lab.reference] if newest else []))
    spoilt = _newer_confounded(response, newest)
    unclear = spoilt is not None and spoilt.value >= situation.definitions["partial_count"]
    unclear = unclear or (not recent and response.ever_confirmed)
    facts.put("response_unclear", unclear, *([spoilt.lab.reference] if spoilt else []))
    if newest is None or not recent or not category:
        facts.put("response_known", "response not known: no recent usable count can be judged")
        facts.miss("there is no recent usable platelet count that can be judged", "current_response")
        return
    doubt = ", confirmed as PR" if at_least_partial else ", unconfirmed"
    doubt = "" if confirmed or category not in RESPONDS else doubt
    facts.put("response_known", f"{_WORDS[category]}{doubt} at {newest.words()}", newest.lab.reference)
    if spoilt is not None:
        facts.miss(f"a newer count cannot be used: {spoilt.why_not}", "current_response")
        return
    facts.put("current_response", category, newest.lab.reference, on=newest.moment.day)
    facts.put("response_count", newest.value, newest.lab.reference, on=newest.moment.day)
    facts.put("response_bled", bool(response.bleeding(newest)))
    apart = situation.days("no_response_apart")
    second = next((c for c in usable if c.moment.days_to(newest.moment) >= apart), None)
    agrees = second is not None and response.category(second) == category
    tail = f"; {second.words()} agrees" if agrees and second is not None else "; unconfirmed, no second count agrees"
    facts.put(
        "current_count",
        newest.words() + tail,
        newest.lab.reference,
        *([second.lab.reference] if agrees and second else []),
    )
    _put_bleeding(response, newest)


def _newer_confounded(response: Response, newest: Count | None) -> Count | None:
    """A count of the course after the newest usable one that another treatment explains."""
    later = (count for count in response.counts if count.confounded and response.day(count) > 0)
    found = next(later, None)
    if found is None or (newest is not None and found.moment.sort_key() <= newest.moment.sort_key()):
        return None
    return found


def put_given_beside(situation: Situation) -> None:
    """All that was given since the start of sirolimus, or shortly before it, that may raise platelets."""
    start = situation.course.start
    if start is None:
        return
    found = sorted(_given(situation, start), key=lambda each: (each[0].sort_key(), each[1]))
    if found:
        words = dict.fromkeys(f"{name} from {on_day(moment)}" for moment, name, _ in found)
        situation.facts.put("given_beside", listed(words), *(reference for _, _, reference in found))
    else:
        situation.facts.miss("nothing else that raises platelets is on record since the start", "given_beside")


def _given(situation: Situation, start: Moment) -> Iterator[tuple[Moment, str, str]]:
    raises = situation.knowledge.with_role("raises platelets")
    for use in situation.chart.drugs:
        if use.draft or use.start is None or not (use.washout or use.valueset in raises):
            continue
        before = situation.days("rituximab_acts") if use.valueset == "rituximab" else 0
        last = use.end or (use.start if use.given or use.status != "active" else None)
        if last is None or last.days_to(start) <= before:
            yield use.start, use.name, use.reference
    for event in situation.chart.events:
        if event.name in _EVENTS and event.moment is not None and event.moment.day >= start.day:
            yield event.moment, event.name.replace("-", " "), event.reference


def _put_bleeding(response: Response, count: Count) -> None:
    found = response.bleeding(count)
    response.situation.facts.put(
        "bleeding",
        f"Bleeding on record: {listed(found)}." if found else "No bleeding is documented; that is taken as none.",
    )


def _put_history(situation: Situation, response: Response, usable: list[Count]) -> None:
    facts = situation.facts
    confirmed = [c for c in usable if response.confirmed_by(c) or response.confirmed_by(c, "partial")]
    facts.put("response_was_confirmed", bool(confirmed), *(count.lab.reference for count in confirmed[:1]))
    facts.put("response_lost", False)
    _put_days_in_response(situation, response, usable)
    if not confirmed or not usable:
        return
    newest, apart = usable[0], situation.days("no_response_apart")
    second = next((c for c in usable if c.moment.days_to(newest.moment) >= apart), None)
    after = [count for count in usable if count.moment.sort_key() > confirmed[0].moment.sort_key()]
    failing = (
        second is not None
        and second in after
        and all(response.category(count) == "none" for count in after[: after.index(second) + 1])
    )
    recent = newest.moment.days_until(situation.now) <= situation.days("landmark_shown")
    word = _WORDS[response.category(confirmed[0]) if response.confirmed_by(confirmed[0]) else "partial"]
    best = next((c for c in confirmed if response.category(c) == "complete" and response.confirmed_by(c)), None)
    if response.category(newest) == "partial" and best is not None:
        facts.put(
            "response_change", f"From a confirmed CR ({best.words()}) to PR.", best.lab.reference, newest.lab.reference
        )
    if failing and recent and second is not None:
        facts.put(
            "response_lost",
            True,
            newest.lab.reference,
            second.lab.reference,
            confirmed[0].lab.reference,
            on=newest.moment.day,
        )
        facts.put(
            "response_history",
            f"Confirmed {word} at {confirmed[0].words()}; since then {second.words()} and {newest.words()}.",
        )


def _put_days_in_response(situation: Situation, response: Response, usable: list[Count]) -> None:
    """Days since the count that first confirmed the response that has lasted: every usable count since responds."""
    first = None
    for count in usable:
        if response.category(count) not in RESPONDS:
            break
        first = count if response.confirmed_by(count) or response.confirmed_by(count, "partial") else first
    if situation.in_response and situation.taking and first is not None:
        days = Decimal(first.moment.days_until(situation.now))
        situation.facts.put("days_in_response", days, first.lab.reference, on=first.moment.day)


def _put_landmark(
    situation: Situation, response: Response, usable: list[Count], months: int, first: int, last: int
) -> None:
    window = [count for count in usable if first <= response.day(count) <= last]
    day, shown = situation.day, situation.days("landmark_shown")
    assert day is not None
    removed = _splenectomy(situation, last)
    if removed is not None:
        _put_without_spleen(situation, removed, months, first)
        return
    if window:
        _put_decided(situation, response, window, months)
        return
    spoilt = [count for count in response.counts if count.confounded and first <= response.day(count) <= last]
    if spoilt and spoilt[0].moment.days_until(situation.now) <= shown:
        _not_evaluable(
            situation,
            months,
            f"confounded: the count {spoilt[0].words()} cannot be used, {spoilt[0].why_not}",
            spoilt[0].lab.reference,
        )
    elif last < day <= last + shown:
        _not_evaluable(situation, months, f"there is no usable platelet count from day {first} to day {last}")


def _splenectomy(situation: Situation, last: int) -> Event | None:
    """A splenectomy during the course, before the landmark's window closes."""
    start = situation.course.start
    assert start is not None
    done = (each for each in situation.chart.events if each.name == "splenectomy" and each.moment is not None)
    return next((each for each in done if each.moment and 0 <= start.days_to(each.moment) <= last), None)


def _put_without_spleen(situation: Situation, removed: Event, months: int, first: int) -> None:
    """Once the spleen is out the landmark is confounded, whatever counts before it say."""
    start, day = situation.course.start, situation.day
    assert start is not None and removed.moment is not None and day is not None
    since = max(first, start.days_to(removed.moment))
    if since <= day <= since + situation.days("landmark_shown"):
        why = f"confounded: splenectomy on {on_day(removed.moment)}"
        _not_evaluable(situation, months, why, removed.reference)


def _put_decided(situation: Situation, response: Response, window: list[Count], months: int) -> None:
    facts, newest = situation.facts, window[0]
    category = response.category(newest)
    if newest.moment.days_until(situation.now) <= situation.days("landmark_shown") and not category:
        why = response.baseline_why or "the count is only known as a bound"
        _not_evaluable(situation, months, f"{newest.words()} needs a baseline, and {why}", newest.lab.reference)
        return
    if category not in RESPONDS:
        return
    by = response.confirmed_by(newest)
    settled = _settled(response, window, category) if by is not None else newest
    if settled.moment.days_until(situation.now) > situation.days("landmark_shown"):
        return
    references = [
        newest.lab.reference,
        *([by.lab.reference] if by else []),
        *([response.baseline.lab.reference] if response.baseline else []),
    ]
    facts.put("landmark", Decimal(months))
    facts.put("landmark_response", category, *references, on=newest.moment.day)
    facts.put("landmark_confirmed", by is not None)
    facts.put("landmark_count", f"{newest.words()} (day {response.day(newest)})", newest.lab.reference)
    apart = situation.days("confirm_apart")
    facts.put(
        "confirmation",
        f"confirmed by {by.words()}" if by else f"unconfirmed: no usable count at least {apart} days earlier agrees",
    )
    _put_bleeding(response, newest)


def _settled(response: Response, window: list[Count], category: str) -> Count:
    """The count at which the category was first confirmed, and has been since."""
    settled = window[0]
    for count in window:
        if response.category(count) != category or response.confirmed_by(count) is None:
            break
        settled = count
    return settled


def _not_evaluable(situation: Situation, months: int, why: str, *references: str) -> None:
    situation.facts.put("landmark", Decimal(months))
    situation.facts.put("landmark_response", "not_evaluable", *references)
    situation.facts.put("not_evaluable_why", why[0].upper() + why[1:] + ".", *references)


def _put_treg(situation: Situation) -> None:
    """Regulatory T cells: the first and the newest value of the code measured most often."""
    by_code: dict[str, list[tuple[Moment, Decimal, str, str]]] = {}
    for lab in situation.chart.lab("treg"):
        if lab.amount is not None and lab.moment is not None and not lab.amount.comparator:
            by_code.setdefault(lab.code, []).append((lab.moment, lab.amount.value, lab.amount.printed, lab.reference))
    several = [(code, values) for code, values in sorted(by_code.items()) if len(values) > 1]
    if not several:
        return
    code, values = max(several, key=lambda item: len(item[1]))
    values.sort(key=lambda value: value[0].sort_key())
    (first, one, unit, ref), (last, two, _, other) = values[0], values[-1]
    text = f"{said(one)} on {on_day(first)}, {said(two)} on {on_day(last)} ({'%' if unit == '%' else 'no unit shown'}, LOINC {code})"
    situation.facts.put("treg_trend", text, ref, other)
