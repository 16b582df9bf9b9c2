"""Text from a record means only itself, whoever renders it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds.cards.text import clean, cut, escape
from cds.engine import CheckedEngine
from tests.charts import Resource, day, drug, itp, level, patient, sirolimus, weight
from tests.judge import judge

MARKDOWN = MarkdownIt("gfm-like", {"html": True, "linkify": False})
ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "![x](http://evil.example/x.png)", "http://evil.example",
    "www.evil.example", "mail@evil.example", "| a | b |\n|---|---|", "# heading", "- item", "1. item", "> quote", "```code", "`code`", "**bold**", "_em_", "~~s~~",
    "&lt;b&gt;", "\u202eabc", "a\u200bb", "a\x00b", "\\", "\\<b>", "<b", "***", "---", "+ x", "    code", "[a]: http://x", "[a]", "<!-- x -->", "$x$", "//evil.example",
]  # fmt: skip


def rendered(text: str) -> str:
    """A detail line as a client would show it."""
    html: str = MARKDOWN.render(f"- **Label**: {text}")
    return html


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_shown_as_text(attack: str) -> None:
    html = rendered(escape(attack))
    assert html.startswith("<ul>\n<li><strong>Label</strong>: ") and html.endswith("</li>\n</ul>\n")
    inside = html.removeprefix("<ul>\n<li><strong>Label</strong>: ").removesuffix("</li>\n</ul>\n")
    assert "<" not in inside


@pytest.mark.slow
@settings(max_examples=2000)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_makes_no_markup(text: str) -> None:
    start, end = "<ul>\n<li><strong>Label</strong>: x", "</li>\n</ul>\n"
    html = rendered("x" + escape(text))
    assert html.startswith(start) and html.endswith(end)
    assert "<" not in html.removeprefix(start).removesuffix(end)


@pytest.mark.parametrize(
    "plain", ["3.9 ng/mL on 2024-01-22 07:40", "112 x 10^9/L (day 93)", "between 5 and 15", "sirolimus 1 mg/mL"]
)
def test_plain_words_and_numbers_keep_their_look(plain: str) -> None:
    assert escape(plain) == plain


def test_controls_and_direction_marks_are_gone() -> None:
    assert clean("a\u202e\u200b\x07b\n c") == "a b c"
    assert len(clean("x" * 10_000)) == 300


@pytest.mark.parametrize("length", [20, 40, 139])
def test_a_summary_is_cut_between_words(length: int) -> None:
    text = "Sirolimus trough 15.1 ng/mL on 2024-05-01 is above the target of 5-15 ng/mL " * 4
    short = cut(text, length)
    assert len(short) <= length and short.endswith("…")
    words = short.removesuffix("…").split()
    assert words == text.split()[: len(words)] or text.split()[len(words) - 1].startswith(words[-1].rstrip(",;:("))


def test_a_short_text_stays() -> None:
    assert cut("as it is") == "as it is"


HOSTILE = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) | a | " + "y" * 10_000


def test_nothing_of_a_records_free_text_reaches_a_card(engine: CheckedEngine) -> None:
    """Names, displays and notes are never shown; ids and references are escaped."""
    order = sirolimus("s", day(0), 12)
    order["medicationCodeableConcept"]["text"] = HOSTILE
    order["medicationCodeableConcept"]["coding"][0]["display"] = HOSTILE
    order["dosageInstruction"][0]["text"] = HOSTILE
    partner = drug("x", "clarithromycin", day(3))
    partner["medicationCodeableConcept"]["coding"][0]["display"] = HOSTILE
    bad: Resource = level("<b>l</b>", day(4), 1) | {"valueQuantity": {"value": 1, "unit": HOSTILE}}
    foreign = level("[f](javascript:x)", day(4), 9, pid="<i>other</i>")
    people = [patient() | {"name": [{"text": HOSTILE}]}, itp() | {"note": [{"text": HOSTILE}]}]
    cards = judge(engine, 5, *people, order, partner, bad, foreign, weight("w", day(0), 60), adult=False).cards
    assert len(cards) == 3
    for card in cards:
        html = MARKDOWN.render(card["detail"])
        assert "<img" not in html and "<b>" not in html and "javascript:" not in html.replace("javascript:x)", "")
        assert "yyyy" not in str({key: value for key, value in card.items() if key != "suggestions"})
        assert len(card["summary"]) <= 139
