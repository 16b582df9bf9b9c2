"""The response at the landmarks: at 3, 6 and, where the protocol judges it, 12 months."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from cds.chart.model import Event
from cds.chart.times import Moment
from cds.chart.words import listed, on_day
from cds.course.counts import Count
from cds.course.patient import Patient
from cds.course.response import RESPONDS, Response
from cds.plan.declare import Answer, Days, Known, Numbers, Unknown, code, flag, number, part, text


class Windows(Numbers, frozen=True):
    """First and last day of the window of each landmark, and for how many days it is reported."""

    landmark_3_from: int
    landmark_3_to: int
    landmark_6_from: int
    landmark_6_to: int
    landmark_12_from: int
    landmark_12_to: int
    landmark_shown: int

    def all(self, yearly: bool) -> list[tuple[int, int, int]]:
        """Each landmark in months, with the days of its window; the 12-month one only if ``yearly``."""
        found = [(3, self.landmark_3_from, self.landmark_3_to), (6, self.landmark_6_from, self.landmark_6_to)]
        return [*found, (12, self.landmark_12_from, self.landmark_12_to)] if yearly else found


class Landmark(msgspec.Struct, frozen=True):
    """The landmark now shown: judged by ``count``, or ``not_evaluable`` for a reason."""

    months: int
    category: str
    references: tuple[str, ...] = ()
    why: str = ""
    count: Count | None = None
    confirmed_by: Count | None = None


class Reached(msgspec.Struct, frozen=True):
    """A landmark whose window has opened, with the days of the window. ``judged``: a count or a splenectomy decides it.

    ``category`` is empty if what decides it says nothing about sirolimus.
    """

    months: int
    first: int
    last: int
    judged: bool
    category: str
    confirmed: bool


@part
def landmarks(
    response: Response, spleen_removed: Event | None, landmark_windows: Windows, yearly: bool, patient: Patient
) -> Answer[list[Reached]]:
    """Every landmark of the course so far, for the timeline picture."""
    day = patient.day
    if not patient.start_known or day is None:
        return Unknown("the start of the course is not known")
    at = _At(response, spleen_removed, landmark_windows.landmark_shown, patient)
    return [at.reached(*each) for each in landmark_windows.all(yearly) if each[1] <= day]


@part
def shown_landmark(
    response: Response, spleen_removed: Event | None, landmark_windows: Windows, yearly: bool, patient: Patient
) -> Answer[Landmark]:
    """The newest landmark that is being reached."""
    if not patient.start_known:
        return Unknown("the start of the course is not known")
    at = _At(response, spleen_removed, landmark_windows.landmark_shown, patient)
    found = [at.landmark(*each) for each in landmark_windows.all(yearly)]
    reached = [each for each in found if each is not None]
    return reached[-1] if reached else Unknown("no landmark is being reached now")


class _At(msgspec.Struct, frozen=True):
    """What a landmark is judged by."""

    response: Response
    spleen_removed: Event | None
    shown: int
    patient: Patient

    def _is_shown(self, since: Moment) -> bool:
        return since.days_until(self.patient.now) <= self.shown

    def reached(self, months: int, first: int, last: int) -> Reached:
        """The outcome of a landmark, whether or not it is reported now."""
        window, removed = self._window(first, last), self._removed_by(last) is not None
        if removed or not window:
            return Reached(months, first, last, removed, "", False)
        category = self.response.category(window[0])
        return Reached(months, first, last, True, category, self.response.confirmed_by(window[0]) is not None)

    def _window(self, first: int, last: int) -> list[Count]:
        return [count for count in self.response.usable if first <= self.response.day(count) <= last]

    def _removed_by(self, last: int) -> Moment | None:
        """When the spleen was removed, if that was by the end of the window."""
        removed = self.spleen_removed.moment if self.spleen_removed is not None else None
        return removed if removed is not None and self.response.start.days_to(removed) <= last else None

    def landmark(self, months: int, first: int, last: int) -> Landmark | None:
        """One landmark; None if there is nothing to report about it now."""
        removed = self._removed_by(last)
        if removed is not None:
            return self._without_spleen(months, first, removed)
        window = self._window(first, last)
        return self._decided(months, window) if window else self._without_count(months, first, last)

    def _without_spleen(self, months: int, first: int, removed: Moment) -> Landmark | None:
        """After a splenectomy the landmark is confounded, whatever earlier counts say."""
        since, day = max(first, self.response.start.days_to(removed)), self.patient.day
        assert self.spleen_removed is not None
        if day is None or not since <= day <= since + self.shown:
            return None
        why = f"confounded: splenectomy on {on_day(removed)}"
        return _not_evaluable(months, why, self.spleen_removed.reference)

    def _without_count(self, months: int, first: int, last: int) -> Landmark | None:
        day, response = self.patient.day, self.response
        confounded = [each for each in response.counts if each.confounded and first <= response.day(each) <= last]
        if confounded and self._is_shown(confounded[0].moment):
            count = confounded[0]
            why = f"confounded: the count {count.words()} cannot be used, {count.why_not}"
            return _not_evaluable(months, why, count.lab.reference)
        if day is not None and last < day <= last + self.shown:
            return _not_evaluable(months, f"there is no usable platelet count from day {first} to day {last}")
        return None

    def _decided(self, months: int, window: Sequence[Count]) -> Landmark | None:
        newest, response = window[0], self.response
        category = response.category(newest)
        if not category and self._is_shown(newest.moment):
            why = response.baseline_why or "the count is only known as a bound"
            return _not_evaluable(months, f"{newest.words()} needs a baseline, and {why}", newest.lab.reference)
        if category not in RESPONDS:
            return None
        by = response.confirmed_by(newest)
        settled = self._settled(window, category) if by is not None else newest
        if not self._is_shown(settled.moment):
            return None
        counts = [newest, *([by] if by else []), *([response.baseline] if response.baseline else [])]
        return Landmark(months, category, tuple(each.lab.reference for each in counts), "", newest, by)

    def _settled(self, window: Sequence[Count], category: str) -> Count:
        """The count at which the category was first confirmed, and since which it has stayed confirmed."""
        settled = window[0]
        for count in window:
            if self.response.category(count) != category or self.response.confirmed_by(count) is None:
                break
            settled = count
        return settled


def _not_evaluable(months: int, why: str, *references: str) -> Landmark:
    return Landmark(months, "not_evaluable", references, f"{why[0].upper()}{why[1:]}.")


@part
def decided_landmark(shown_landmark: Landmark) -> Answer[Landmark]:
    """The landmark, where a count decides it."""
    return shown_landmark if shown_landmark.count is not None else Unknown("the landmark cannot be evaluated")


@code("complete partial not_evaluable", "the response at the landmark now shown")
def landmark_response(shown_landmark: Landmark) -> Answer[str]:
    count = shown_landmark.count
    return Known(shown_landmark.category, shown_landmark.references, count.moment.day if count else None)


@number("month", "3", "the landmark now shown")
def landmark(shown_landmark: Landmark) -> Answer[Decimal]:
    return Decimal(shown_landmark.months)


@flag("that category is confirmed by a count at least {confirm_apart} days earlier")
def landmark_confirmed(decided_landmark: Landmark) -> Answer[bool]:
    return decided_landmark.confirmed_by is not None


@text("the platelet count that decides, with its date")
def landmark_count(decided_landmark: Landmark, response: Response) -> Answer[str]:
    count = decided_landmark.count
    assert count is not None
    return Known(f"{count.words()} (day {response.day(count)})", [count.lab.reference])


@text("how the category was confirmed, or that it is not")
def confirmation(decided_landmark: Landmark, confirm_apart: Days) -> Answer[str]:
    by = decided_landmark.confirmed_by
    if by is not None:
        return f"confirmed by {by.words()}"
    return f"unconfirmed: no usable count at least {confirm_apart} days earlier agrees"


@text("why the response at the landmark cannot be evaluated")
def not_evaluable_why(shown_landmark: Landmark) -> Answer[str]:
    if shown_landmark.count is not None:
        return Unknown("the landmark can be evaluated, or none is being reached")
    return Known(shown_landmark.why, shown_landmark.references)


@text("bleeding on record near the count, or that none is documented")
def bleeding(response: Response, count_now: Count | Unknown, decided_landmark: Landmark | Unknown) -> Answer[str]:
    """Bleeding near the count of the landmark that is shown or, without one, near the newest count."""
    count = count_now if isinstance(decided_landmark, Unknown) else decided_landmark.count
    if count is None or isinstance(count, Unknown):
        return Unknown("no count is judged now")
    found = response.bleeding(count)
    return f"Bleeding on record: {listed(found)}." if found else "No bleeding is documented; that is taken as none."
