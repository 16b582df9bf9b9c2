"""What the words of an order say beside its structure: nothing, the same, or something else, which is a gap."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds.chart.read import read_chart
from cds.chart.request import read_request
from cds.chart.sayings import DIFFER
from cds.compiled.knowledge import Knowledge
from tests.charts import Resource, as_bytes, bundle, day, patient, sirolimus
from tests.judge import now_on

ONCE = sirolimus("s", day(0), 2)  # two tablets of 1 mg
TWICE = sirolimus("s", day(0), 1, times=2)
ALTERNATE = sirolimus("s", day(0), 2, period=2)


def problem(knowledge: Knowledge, order: Resource, text: str, where: str = "text") -> str:
    """What is wrong with the dose of an order that says ``text``, on day 20, 28 January 2024."""
    said: Resource = json.loads(json.dumps(order))
    said["dosageInstruction"][0][where] = [{"text": text}] if where == "additionalInstruction" else text
    request = read_request(as_bytes(bundle(patient(), said)))
    (read,) = read_chart(request, knowledge, now_on(20)).orders
    return read.dose.problem


SAID = {  # 2 mg once a day, 1 mg twice a day, 2 mg on alternate days, as needed, on hold
    "en": ("Take 2 tablets by mouth once daily", "1 mg twice daily", "2 mg every other day", "as needed", "on hold"),
    "de": ("2 Tabletten einmal täglich einnehmen", "1 mg zweimal täglich", "2 mg jeden zweiten Tag", "bei Bedarf", "pausieren"),
    "fr": ("Prendre 2 comprimés une fois par jour", "1 mg deux fois par jour", "2 mg un jour sur deux", "si besoin", "suspendre"),
    "es": ("Tomar 2 comprimidos una vez al día", "1 mg dos veces al día", "2 mg en días alternos", "si es necesario", "suspender"),
    "it": ("2 compresse una volta al giorno", "1 mg due volte al giorno", "2 mg a giorni alterni", "al bisogno", "sospendere"),
    "pt": ("Tomar 2 comprimidos uma vez por dia", "1 mg duas vezes por dia", "2 mg em dias alternados", "se necessário", "suspender"),
    "nl": ("2 tabletten eenmaal per dag innemen", "1 mg tweemaal per dag", "2 mg om de dag", "zo nodig", "tijdelijk niet"),
    "pl": ("2 tabletki raz dziennie", "1 mg dwa razy dziennie", "2 mg co drugi dzień", "w razie potrzeby", "wstrzymać"),
    "zh": ("每日一次，每次2片", "每次1mg，每日两次", "2mg，隔日一次", "必要时", "暂停"),
}  # fmt: skip


def test_every_language_of_the_lexicon_is_tried_here(knowledge: Knowledge) -> None:
    assert set(knowledge.lexicon.dosage) == set(SAID)


@pytest.mark.parametrize("language", SAID)
def test_words_that_say_the_same_change_nothing(knowledge: Knowledge, language: str) -> None:
    once, twice, alternate, *_ = SAID[language]
    assert problem(knowledge, ONCE, once) == ""
    assert problem(knowledge, TWICE, twice) == ""
    assert problem(knowledge, ALTERNATE, alternate) == ""


@pytest.mark.parametrize("language", SAID)
def test_another_amount_is_a_gap(knowledge: Knowledge, language: str) -> None:
    once, twice, *_ = SAID[language]
    assert problem(knowledge, ONCE, once.replace("2", "3")) == DIFFER
    assert problem(knowledge, TWICE, twice.replace("1", "2")) == DIFFER


@pytest.mark.parametrize("language", SAID)
def test_another_rhythm_is_a_gap(knowledge: Knowledge, language: str) -> None:
    once, twice, alternate, *_ = SAID[language]
    for order, text in ((ONCE, twice), (ONCE, alternate), (TWICE, alternate), (ALTERNATE, once)):
        assert problem(knowledge, order, text) == DIFFER


@pytest.mark.parametrize("language", SAID)
def test_as_needed_and_a_hold_are_gaps(knowledge: Knowledge, language: str) -> None:
    once, _, _, needed, held = SAID[language]
    assert problem(knowledge, ONCE, f"{once}, {needed}") == DIFFER
    assert problem(knowledge, ONCE, f"{once}, {held}") == DIFFER


@pytest.mark.parametrize(
    "text",
    [
        "as directed", "Take with food, for ITP", "At 8 am with breakfast", "nach Anweisung", "遵医嘱", "per os",
        "2 mg daily. Check trough level weekly, CBC every 2 weeks; dispense 60 tablets", "Do not stop without asking",
        "2 mg daily for 30 days", "2 mg täglich; Spiegelkontrolle alle 2 Wochen", "Rapamune 1 mg tablet: 2 tablets daily", "2 mg daily until 2024-12-31",
        "30 tablets, 3 refills", "2 mg/Tag", "2mg/d", "2 mg/24h", "2 mg daily until May 15, 2024", "2 mg daily until 3/1/2024", "2 mg täglich, Rezept gültig bis 10.01.2024",
        "2 mg daily. Blood test until 10 January 2024",
    ],
)  # fmt: skip
def test_what_says_nothing_against_the_structure_is_no_gap(knowledge: Knowledge, text: str) -> None:
    assert problem(knowledge, ONCE, text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "2 mg daily, then 1 mg daily", "2 mg daily; reduce by 1 mg every week", "1-2 tablets daily", "1 bis 2 Tabletten täglich", "1-0-1", "0-0-3",
        "2 mg on Monday and Thursday", "montags und donnerstags", "2 mg daily until 2024-01-10", "2 mg täglich bis 10.01.2024", "2000 mcg twice daily",
        "ein Tag 2 mg, am nächsten Tag 1 mg", "1 mg daily", "1/2 tablet daily", "2 mg every 3 days", "2 mg monthly",
        "2 mg MWF", "2 mg, 5 days on, 2 days off", "½-0-0", "2 mg, ausschleichen", "2 mg b. B.", "2 mg dia sim, dia não", "2 dd 2 mg",
        "take if platelets < 50", "2 mg jeden 2. Tag", "2 mg jeden 2.Tag", "2 mg jeden 3. Tag", "2 mg/48h", "2 mg an geraden Tagen", "2 mg les jours impairs", "half a tablet daily",
        "1 1/2 tablets daily", "1½ Tabletten täglich", "2 mg daily until 10 January 2024", "2 mg daily until January 10, 2024", "2 mg par jour jusqu'au 10/01/2024",
        "2 mg al día hasta el 10 de enero de 2024", "2 mg al giorno fino al 10 gennaio 2024", "2 mg dziennie do 10 stycznia 2024", "每日2mg，服用至2024年1月10日",
    ],
)  # fmt: skip
def test_tapers_ranges_weekdays_and_ends_that_are_past_are_gaps(knowledge: Knowledge, text: str) -> None:
    assert problem(knowledge, ONCE, text) == DIFFER


@pytest.mark.parametrize("where", ["text", "patientInstruction", "additionalInstruction"])
def test_every_place_that_speaks_in_words_is_heard(knowledge: Knowledge, where: str) -> None:
    assert problem(knowledge, ONCE, "Take only if needed", where) == DIFFER
    assert problem(knowledge, ONCE, "Take with water", where) == ""


def test_slots_of_a_day_are_its_intakes(knowledge: Knowledge) -> None:
    assert problem(knowledge, TWICE, "1-0-1") == "" and problem(knowledge, ONCE, "2-0-0") == ""
    assert problem(knowledge, TWICE, "morgens und abends je 1 Tablette") == ""
    assert problem(knowledge, TWICE, "2 mg daily, in the morning and in the evening") == ""
    assert problem(knowledge, TWICE, "2-0-2") == DIFFER


@pytest.mark.parametrize(
    "text",
    [
        "2 x 1 mg täglich",
        "2 mg (as 1 mg tablets) daily",
        "2 tablets of 1 mg daily",
        "sirolimus 1 mg daily",
        "Rapamune 1 mg-Tablette",
    ],
)
def test_the_strength_of_a_tablet_is_no_dose(knowledge: Knowledge, text: str) -> None:
    assert problem(knowledge, ONCE, text) == ""
    assert problem(knowledge, ONCE, text.replace("1 mg", "4 mg")) == DIFFER


def test_named_days_agree_with_the_days_of_the_structure(knowledge: Knowledge) -> None:
    repeat: dict[str, Any] = {"dayOfWeek": ["mon", "thu"]}
    order = json.loads(json.dumps(ONCE))
    order["dosageInstruction"][0]["timing"]["repeat"] = repeat
    assert problem(knowledge, order, "2 mg on Mondays and Thursdays") == ""
    assert problem(knowledge, order, "2 mg on Mondays") == DIFFER


@pytest.mark.parametrize(
    "text",
    [
        "Take 2 tablets (2 mg) by mouth daily for 14 days then 1 tablet (1 mg) daily",
        "2 comprimés par jour pendant 15 jours puis 1 comprimé par jour",
        "2 Tabletten täglich für 14 Tage dann 1 Tablette täglich",
        "2 comprimidos al día durante 14 días luego 1 comprimido al día",
        "take 2 tablets every other day until next clinic visit",
        "2 mg alle 2 Tage bis zur Kontrolle",
        "隔日一次 直到复查",
        "Take three (3) tablets by mouth every day",
        "one-half (1/2) tablet daily",
        "2 tablets every 3rd day",
        "2 tablets tiw",
        "2 mg E.O.D.",
        "2 mg M-W-F",
        "2 tablets daily weekdays only",
        "2 mg täglich nur werktags",
        "2 mg 48-stündlich",
        "un demi-comprimé par jour",
        "2 mg täglich nur bei Thrombozyten < 30",
    ],
)
def test_another_dose_beside_a_duration_or_a_visit_is_a_gap(knowledge: Knowledge, text: str) -> None:
    assert problem(knowledge, ONCE, text) == DIFFER


@pytest.mark.parametrize(
    "text",
    [
        "Take two (2) tablets by mouth every day",
        "Take 2 tablets (2 mg) by mouth daily for 14 days",
        "2 tablets daily until next clinic visit, max 4 tablets a day",
        "2 mg täglich bis zur Kontrolle in 2 Wochen",
        "check levels every 2 weeks until stable, 2 mg daily",
        "Dispense 60 tablets for 30 days with 3 refills",
        "每日一次 2片 直到复查",
    ],
)
def test_the_same_dose_beside_a_duration_or_a_visit_is_none(knowledge: Knowledge, text: str) -> None:
    assert problem(knowledge, ONCE, text) == ""


def test_hours_that_do_not_divide_a_day_are_no_number_of_times_a_day(knowledge: Knowledge) -> None:
    four = sirolimus("s", day(0), 0.5, times=4)
    assert problem(knowledge, four, "0.5 mg every 6 hours") == ""
    assert problem(knowledge, four, "0.5 mg every 5 hours") == DIFFER
