"""Ask the whole path a question in a test, from FHIR to cards."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from cds.advise import Advice, advise
from cds.chart.request import read_request
from cds.compiled.hooks import Hook
from cds.engine import CheckedEngine
from tests.charts import FIRST_LINE, PATIENT, START, Resource, as_bytes, bundle, itp, patient, request
from tests.charts import watched as watched_tests


def standing(on: int) -> list[Resource]:
    """The usual tests, ordered the day before."""
    return watched_tests((START + timedelta(days=on - 1)).isoformat())


def now_on(day: int, clock: str = "20:00") -> datetime:
    """The evening of a day of the course, so that what happened on it is known."""
    return datetime.combine(START + timedelta(days=day), time.fromisoformat(clock), UTC)


def judge(
    engine: CheckedEngine, day: int, *resources: Resource, adult: bool = True, max_cards: int = 99, watched: bool = True
) -> Advice:
    """Open the chart on ``day``. ``adult`` adds a grown patient with ITP; unless ``watched`` is false the usual tests are on order."""
    people = [*([patient(), itp()] if adult else []), *(standing(day) if watched else [])]
    return advise(read_request(as_bytes(bundle(*people, *resources))), engine, now_on(day), max_cards=max_cards)


def judge_order(
    engine: CheckedEngine,
    day: int,
    drafts: list[Resource],
    *resources: Resource,
    hook: Hook = "order-sign",
    adult: bool = True,
    watched: bool = True,
    **more: Any,
) -> Advice:
    """Sign (or select) ``drafts`` on ``day``. ``adult`` adds a man with ITP that was treated before."""
    people = [*([patient(gender="male"), itp(), FIRST_LINE] if adult else []), *(standing(day) if watched else [])]
    body = as_bytes(request(hook, [*people, *resources], drafts, pid=PATIENT, **more))
    return advise(read_request(body), engine, now_on(day), max_cards=99)


def topics(advice: Advice) -> set[str]:
    """The rules whose cards are shown, by topic."""
    return {card["source"]["topic"]["code"] for card in advice.cards}


def fact(advice: Advice, name: str) -> Any:
    """A fact's value, or None when it is absent."""
    return advice.situation.facts.values.get(name)


def gaps(advice: Advice) -> set[str]:
    """What was not assessed, by name."""
    return {item.name for item in fact(advice, "gaps") or ()}


def updates(advice: Advice) -> list[Resource]:
    """The orders that our suggestions would write."""
    actions = [a for card in advice.cards for s in card.get("suggestions", ()) for a in s["actions"]]
    return [
        a["resource"]
        for a in actions
        if a["resource"]["resourceType"] == "MedicationRequest" and a["resource"]["status"] != "on-hold"
    ]
