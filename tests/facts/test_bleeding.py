"""Bleeding that was graded: what goes on, what belongs to a count, and what cannot be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from cds.engine import CheckedEngine
from cds.hooks.discovery import prefetch
from cds.knowledge.load import load
from tests.charts import OURS, Resource, condition, count, day, graded, level, sirolimus
from tests.conftest import ROOT
from tests.judge import fact, gaps, judge, topics

ORDER, LEVEL = sirolimus("s", day(0), 2), level("l", day(60, "08:00"), 8)
NOSE = "249366005"


@pytest.mark.parametrize(
    ("seen", "goes_on"),
    [
        ([(62, 2)], True),
        ([(62, 1)], False),  # of the skin
        ([(62, 0)], False),
        ([(55, 2)], True),
        ([(54, 2)], False),  # a week and a day ago
        ([(60, 3), (61, 2)], True),
        ([(60, 3), (61, 1)], False),
        ([(60, 0), (61, 2)], True),
        ([(61, 2), (61, 0)], True),  # of one day the worst counts
    ],
)
def test_a_graded_bleed_goes_on_until_it_is_graded_again(
    engine: CheckedEngine, seen: list[tuple[int, int]], goes_on: bool
) -> None:
    bleeds = [graded(f"g{place}", day(on), grade) for place, (on, grade) in enumerate(seen)]
    advice = judge(engine, 62, ORDER, LEVEL, count("c", day(62), 25), *bleeds)
    assert fact(advice, "bleeding_now") is goes_on
    assert ("bleedingWithLowPlatelets" in topics(advice)) is goes_on


def test_the_card_says_the_grade_and_its_day(engine: CheckedEngine) -> None:
    advice = judge(engine, 62, ORDER, LEVEL, count("c", day(62), 25), graded("g", day(62, "07:30"), 2))
    (card,) = [c for c in advice.cards if c["source"]["topic"]["code"] == "bleedingWithLowPlatelets"]
    assert "Bleeding: bleeding of WHO grade 2 on 2024-03-10 07:30." in card["detail"]
    assert "grade of bleeding of 2024-03-10" in card["detail"]


def test_a_lower_grade_does_not_close_a_diagnosis(engine: CheckedEngine) -> None:
    seen = [condition("b", NOSE, day(60)), graded("g", day(61), 0)]
    assert fact(judge(engine, 62, ORDER, LEVEL, count("c", day(62), 25), *seen), "bleeding_now") is True


def now_with(engine: CheckedEngine, *bleeds: Resource, on: int = 62) -> Any:
    return fact(judge(engine, on, ORDER, LEVEL, count("c", day(on), 25), *bleeds), "bleeding_now")


def test_a_corrected_grade_takes_the_place_of_the_one_with_its_number(engine: CheckedEngine) -> None:
    number = {"identifier": [{"system": "urn:ward", "value": "7"}]}
    first, right = graded("g", day(61), 3, **number), graded("h", day(61), 1, status="corrected", **number)
    assert now_with(engine, first, right) is False
    unreadable = graded("h", day(61), 9, status="corrected", **number)
    assert now_with(engine, first, unreadable) is True  # what is wrong with the first nobody knows
    assert (
        now_with(engine, graded("g", day(61), 3), graded("h", day(61), 1, status="corrected")) is True
    )  # of another site


def test_a_number_that_names_the_patient_replaces_nothing_of_another_time(engine: CheckedEngine) -> None:
    number = {"identifier": [{"system": "urn:patients", "value": "7"}]}
    old = graded("g1", day(-200), 1, status="corrected", **number)
    assert now_with(engine, old, graded("g2", day(61), 3, **number)) is True


def test_a_bleed_of_one_site_is_not_ended_by_another(engine: CheckedEngine) -> None:
    gut, skin = {"bodySite": {"text": "gut"}}, {"bodySite": {"text": "skin"}}
    assert now_with(engine, graded("g", day(60), 3, **gut), graded("h", day(61), 1, **skin)) is True
    assert now_with(engine, graded("g", day(60), 3, **gut), graded("h", day(61), 1, **gut)) is False
    assert now_with(engine, graded("g", day(60), 3, **gut), graded("h", day(61), 0)) is False  # of the whole body
    assert (
        now_with(engine, graded("g", day(62, "08:00"), 3), graded("h", day(62, "08:05"), 1)) is True
    )  # on one day the worst


def test_of_several_sites_graded_at_once_the_worst_counts(engine: CheckedEngine) -> None:
    for one, other in ((3, 0), (0, 3)):
        sites = [graded("g", day(61, "08:00"), one), graded("h", day(61, "08:00"), other)]
        assert now_with(engine, *sites) is True


def test_what_is_preliminary_neither_begins_a_bleed_nor_ends_one(engine: CheckedEngine) -> None:
    assert now_with(engine, graded("g", day(61), 3, status="preliminary")) is False
    seen = [graded("g", day(60), 3), graded("h", day(61), 0)]
    assert now_with(engine, *seen) is False
    assert now_with(engine, seen[0], seen[1] | {"status": "preliminary"}) is True


def test_a_grade_of_a_period_is_of_its_last_day_too(engine: CheckedEngine) -> None:
    long = graded("g", day(40), 2)
    del long["effectiveDateTime"]
    assert now_with(engine, long | {"effectivePeriod": {"start": day(40), "end": day(60)}}) is True
    assert now_with(engine, long | {"effectivePeriod": {"start": day(40), "end": day(50)}}) is False
    assert now_with(engine, long | {"effectivePeriod": {"start": day(60)}}) is True
    assert now_with(engine, long | {"effectivePeriod": {"start": day(40)}}) is True  # it goes on
    assert now_with(engine, long | {"effectivePeriod": {"start": day(40), "end": day(70)}}) is True
    assert (
        now_with(engine, long | {"effectivePeriod": {"start": day(40)}}, graded("e", day(55), 0)) is False
    )  # until it was graded again
    mild = graded("m", day(55), 1)
    del mild["effectiveDateTime"]
    worse = graded("w", day(58), 3)
    assert now_with(engine, worse, mild | {"effectivePeriod": {"start": day(55), "end": day(61)}}) is True


def test_thousands_of_grades_are_read_as_a_few_are(engine: CheckedEngine) -> None:
    """In time that grows with their number, not with its square: with the square this would not end."""
    number = {"identifier": [{"system": "urn:patients", "value": "7"}]}
    many = [graded(f"g{n}", day(-n - 2), n % 4, status=("final", "corrected")[n % 2], **number) for n in range(4000)]
    assert now_with(engine, *many, graded("last", day(61), 3)) is True


def test_beside_an_unreadable_grade_nobody_says_that_none_is_documented(engine: CheckedEngine) -> None:
    advice = judge(engine, 62, ORDER, LEVEL, count("c", day(62), 9), graded("g", day(62), 7))
    (card,) = [c for c in advice.cards if c["source"]["topic"]["code"] == "bleedingWithLowPlatelets"]
    assert (
        "Bleeding: none is documented; a grade of bleeding is on record that cannot be read or is not final."
        in card["detail"]
    )


@pytest.mark.parametrize(("grade", "responds"), [(0, True), (1, False)])
def test_with_any_bleeding_there_is_no_response(engine: CheckedEngine, grade: int, responds: bool) -> None:
    counts = [count("base", day(-2), 10), count("a", day(80), 120), count("b", day(90), 130)]
    advice = judge(engine, 91, ORDER, LEVEL, *counts, graded("g", day(88), grade))
    assert ("responseComplete" in topics(advice)) is responds


def test_a_grade_that_cannot_be_read_is_said(engine: CheckedEngine) -> None:
    advice = judge(engine, 62, ORDER, LEVEL, count("c", day(62), 60), graded("g", day(62), 7))
    assert "A bleeding grade was not read" in gaps(advice)
    read = graded("h", day(62, "23:00"), 0)
    later = judge(engine, 63, ORDER, LEVEL, count("c", day(62), 60), graded("g", day(61), 7), read)
    assert gaps(later) == set()  # a newer one can be


def test_a_site_adds_its_own_code_as_the_page_of_deployment_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n# ours/(?:valuesets/our-bleeding-grade.yaml)\n(.*?)```", page, re.DOTALL)
    (tmp_path / "valuesets").mkdir()
    odd = text.replace("WHO-BLEED", '"BLEED, WHO"').replace("example/codes", "example/codes?of=us&v=1,2")
    for written, system, code in (
        (text, "https://hospital.example/codes", "WHO-BLEED"),
        (odd, "https://hospital.example/codes?of=us&v=1,2", "BLEED, WHO"),
    ):
        (tmp_path / "valuesets" / "our-bleeding-grade.yaml").write_text(written, encoding="utf-8")
        knowledge = load(None, "", [tmp_path])
        for system_of_it, code_of_it in ((system, code), (OURS, "who-bleeding-grade")):  # ours stays beside it
            seen = graded("g", day(62), 2, system_of_it, code_of_it)
            assert now_with(CheckedEngine(knowledge), seen) is True
        queries = [query for key, query in prefetch(knowledge).items() if key.startswith("observations-")]
        asked = [dict(part.partition("=")[::2] for part in query.partition("?")[2].split("&")) for query in queries]
        assert all(set(each) == {"patient", "code", "_sort"} for each in asked)
        escaped = code.replace(",", "\\,")
        assert f"{system}|{escaped}" in [unquote(token) for each in asked for token in each["code"].split(",")]
        assert not any(OURS in query for query in queries)
