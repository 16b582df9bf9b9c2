"""What is judged for a page of the workbench: a chart as it is, with values moved, or with a suggestion pressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from cds.advise import Advice, advise
from cds.chart.body import InputError
from cds.chart.request import newest_date, read_request
from cds.chart.times import parse_now
from cds.compiled.hooks import HOOKS, Hook
from cds.engine import CheckedEngine
from cds.workbench.document import Json, as_request, document_of, written
from cds.workbench.form import GONE, Asked
from cds.workbench.what_if import Slider, day_moved, moved, pressed, sliders

_SIGNED = "Below: the answer when this order is signed."


@dataclass(frozen=True)
class View:
    """What a page shows: a document and its judgement; and the document, time and hook before values were moved."""

    document: Json
    advice: Advice
    note: str
    sliders: list[Slider]
    base: Json
    base_at: datetime
    base_hook: Hook


def _as_it_is(document: Json, advice: Advice, note: str = "") -> View:
    rows = [replace(each, was=each.value) for each in sliders(document, advice)]
    patient = advice.situation.patient
    return View(document, advice, note, rows, document, patient.now, patient.hook)


def view_of(form: Asked, engine: CheckedEngine) -> View:
    """The view that a form asks for. Raises InputError."""
    if form.knowledge not in ("", engine.knowledge.hash):
        raise InputError("the rules have changed since this page was made; judge the chart again")
    document = document_of(form.chart)
    hook = form.hook if form.hook in HOOKS and document.get("resourceType") == "Bundle" else None
    at = parse_now(form.at) if form.at else None
    if form.at and at is None:
        raise InputError("the time of judging is not an ISO 8601 date or time, such as 2024-05-01T20:00:00Z")
    advice = _judge(document, hook, at, engine)
    if form.press:
        return _pressed(document, advice, *form.place, engine)
    return _moved(document, advice, hook, form.wanted, engine) if form.wanted else _as_it_is(document, advice)


def _moved(document: Json, base: Advice, hook: Any, wanted: Mapping[str, Decimal], engine: CheckedEngine) -> View:
    """Moves the day first: what else can be moved, and from which value, then depends on what is known on that day."""
    day, now = base, base.situation.patient.now
    rows = {each.name: each for each in sliders(document, base)}
    try:
        if "days" in wanted and "days" in rows:
            now = day_moved(base, wanted["days"])
            day = _judge(document, hook, now, engine)
            rows = {each.name: each for each in sliders(document, day)} | {"days": rows["days"]}
        taken = {name: value for name, value in wanted.items() if name in rows}
        changed, moved_hook = moved(document, day, taken)
    except (ValueError, OverflowError):
        raise InputError("a changed value leads to a date that does not exist") from None
    said = ", ".join(f"{name} to {value}" for name, value in taken.items())
    left = ", ".join(name for name in wanted if name not in taken)
    of_that_day = now != base.situation.patient.now and bool(taken.keys() & {"level", "count"})
    asked_on = moved_hook if document.get("resourceType") == "Bundle" else None
    after = _judge(changed, asked_on, now, engine)
    told = {
        f"Changed: {said}.": bool(said),
        f"Not changed: {left}, which is not on record on this day.": bool(left),
        "The level and the count are the newest of that day.": of_that_day,
        _SIGNED: moved_hook != base.situation.patient.hook,
    }
    note = " ".join(words for words, is_so in told.items() if is_so)
    shown = [
        replace(each, was=each.value, value=float(taken.get(name, Decimal(str(each.value)))))
        for name, each in rows.items()
    ]
    return View(changed, after, note, shown, document, base.situation.patient.now, base.situation.patient.hook)


def _pressed(document: Json, advice: Advice, card: int, suggestion: int, engine: CheckedEngine) -> View:
    after = pressed(document, advice, card, suggestion)
    if after is None:
        raise InputError(GONE)
    label = advice.cards[card]["suggestions"][suggestion]["label"]
    document, hook = after
    asked_on = hook if document.get("resourceType") == "Bundle" else None
    note = f"Pressed: {label}."
    if hook != advice.situation.patient.hook:
        note += f" {_SIGNED} The cards of the opened chart are on the previous page."
    return _as_it_is(document, _judge(document, asked_on, advice.situation.patient.now, engine), note)


def _judge(document: Json, hook: Any, now: datetime | None, engine: CheckedEngine) -> Advice:
    request = read_request(written(document), hook)
    if request.from_hook and "MedicationRequest" in request.not_supplied:
        raise InputError("the prefetch key 'medications' was not supplied; without it nothing can be judged")
    moment = now or newest_date(request)
    if moment is None:
        raise InputError("nothing in it has a date, so there is no latest one; give the time of judging")
    return advise(request, engine, moment, explain=True, max_cards=99)


def request_of(document: Json, advice: Advice, engine: CheckedEngine) -> bytes:
    """The request with which an EHR would ask the same, formatted for people; empty if it would not get the same cards."""
    request = as_request(document, advice.situation.patient.hook, advice.situation.chart.patient_id)
    if request is None or request is document:
        return b""
    try:
        again = _judge(request, None, advice.situation.patient.now, engine)
    except InputError:
        return b""
    return written(request, indent=1) if _seen(again) == _seen(advice) else b""


def _seen(advice: Advice) -> list[tuple[str, str, list[str]]]:
    """What a clinician sees of the cards."""
    offered = [[each["label"] for each in card.get("suggestions", ())] for card in advice.cards]
    return [(card["summary"], card["detail"], labels) for card, labels in zip(advice.cards, offered, strict=True)]
