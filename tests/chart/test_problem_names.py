"""Names of conditions: the longest phrase counts, in any script, and words beside it may say that it is not so."""

from __future__ import annotations

import pytest

from cds.chart.problem_names import named_problems
from cds.compiled.knowledge import Knowledge


def named(knowledge: Knowledge, text: str) -> set[str]:
    return {each.concept.name for each in named_problems(text, knowledge)}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Angio-oedema", "angioedema"), ("Quincke-Ödem", "angioedema"), ("GI-Blutung", "bleeding-gut"), ("Non-melanoma skin cancer", "skin-cancer"),
        ("Breast cancer", "malignancy"), ("immune thrombocytopenic purpura", "itp"), ("grossesse gémellaire", "pregnant"), ("lungenembolie", "thrombosis"),
    ],
)  # fmt: skip
def test_a_phrase_counts_however_it_is_joined_and_only_the_longest(knowledge: Knowledge, text: str, name: str) -> None:
    assert named(knowledge, text) == {name}


@pytest.mark.parametrize(
    ("text", "name"),
    [("免疫性血小板减少性紫癜", "itp"), ("皮肤鳞状细胞癌", "skin-cancer"), ("患者患有慢性乙型肝炎", "hepatitis-b")],
)
def test_so_it_is_in_a_script_without_spaces(knowledge: Knowledge, text: str, name: str) -> None:
    assert named(knowledge, text) == {name}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HBV inactive carrier", "hepatitis-b"), ("breast feeding mother", "breastfeeding"), ("Hepatitis B carrier", "hepatitis-b"), ("History of angioedema", "angioedema-past"), ("Z.n. Angioödem", "angioedema-past"),
        ("Postpartum", "pregnancy-ended"), ("Status post splenectomy", "splenectomy"), ("血管性水肿病史", "angioedema-past"),
    ],
)  # fmt: skip
def test_a_word_within_a_name_says_nothing_against_it(knowledge: Knowledge, text: str, name: str) -> None:
    assert named(knowledge, text) == {name}


@pytest.mark.parametrize(
    "text",
    [
        "History of ITP", "family history of angioedema", "No evidence of breast cancer", "mother: breast cancer",
        "Ausschluss Schwangerschaft", "Kein Hinweis auf ITP", "Antécédents de phlébite, thrombose", "乳腺癌家族史", "排除免疫性血小板减少症",
        "FA: Kolonkarzinom", "Angst vor Krebs", "no known malignancy", "Immunisation: hepatitis B", "pulmonary embolism ruled out",
    ],
)  # fmt: skip
def test_what_is_over_denied_feared_or_anothers_is_none(knowledge: Knowledge, text: str) -> None:
    assert named(knowledge, text) == set()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("?DVT", "thrombosis"), ("Breast cancer?", "malignancy"), ("？免疫性血小板减少症", "itp"), ("V.a. Lungenembolie", "thrombosis"),
        ("sospetto di trombosi", "thrombosis"), ("Suspicion d'embolie pulmonaire", "thrombosis"), ("Sospecha de neumonitis", "pneumonitis"),
        ("疑似肺炎", "serious-infection"), ("Rule out pneumonia", "serious-infection"), ("Verdacht auf Pneumonitis", "pneumonitis"),
    ],
)  # fmt: skip
def test_a_suspicion_counts_and_is_marked(knowledge: Knowledge, text: str, name: str) -> None:
    assert {(each.concept.name, each.suspected) for each in named_problems(text, knowledge)} == {(name, True)}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Pneumonie, kein Fieber", {"serious-infection"}), ("Pneumonia without sepsis", {"serious-infection"}),
        ("No fever, cough or pneumonia", set()), ("Neumonía sin sepsis", {"serious-infection"}), ("keine Pneumonie", set()),
        ("Pneumopathie interstitielle sans fièvre", {"pneumonitis"}),
    ],
)  # fmt: skip
def test_a_denial_denies_what_comes_behind_it(knowledge: Knowledge, text: str, names: set[str]) -> None:
    assert named(knowledge, text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("CLL", {"malignancy", "secondary"}), ("Mamma-Ca links", {"malignancy"}), ("ILD", {"pneumonitis"}), ("TVT re. Bein", {"thrombosis"}),
        ("PID médicamenteuse", {"pneumonitis"}), ("TTP", {"microangiopathy"}), ("Lungen-TBC", {"lasting-infection"}), ("Syndrome d'Evans", {"secondary"}),
    ],
)  # fmt: skip
def test_what_clinicians_write_for_short(knowledge: Knowledge, text: str, names: set[str]) -> None:
    assert named(knowledge, text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Mammakarzinom", {"malignancy"}), ("Zungengrundkarzinom", {"malignancy"}), ("longcarcinoom", {"malignancy"}), ("Lebermetastasen", {"malignancy"}),
        ("Basalzellkarzinom", {"skin-cancer"}), ("Beckenvenenthrombose", {"thrombosis"}), ("Lobärpneumonie", {"serious-infection"}),
        ("interstitielle Pneumonie", {"pneumonitis"}), ("Kathetersepsis", {"sepsis"}), ("机化性肺炎", {"pneumonitis"}),
    ],
)  # fmt: skip
def test_the_end_of_a_joined_word_counts_where_no_phrase_does(knowledge: Knowledge, text: str, names: set[str]) -> None:
    assert named(knowledge, text) == names


@pytest.mark.parametrize(
    "text",
    ["Pseudolymphom", "Zystadenolymphom der Parotis", "Cystadenolymphom", "Pseudoleukämie", "Asepsis", "Hämorrhoidalthrombose",
     "Haemorrhoidalthrombose", "Pseudosarkom"],
)  # fmt: skip
def test_a_joined_word_that_names_another_thing_is_none(knowledge: Knowledge, text: str) -> None:
    assert named(knowledge, text) == set()


@pytest.mark.parametrize(
    ("text", "name"),
    [("angioedeme", "angioedema"), ("Angiooedem", "angioedema"), ("pneumopathie interstitielle", "pneumonitis"), ("neumonia", "serious-infection"),
     ("Thrombose veineuse profonde", "thrombosis"), ("polpasiec", "serious-infection"), ("Leukaemie", "malignancy")],
)  # fmt: skip
def test_accents_and_umlauts_may_be_missing(knowledge: Knowledge, text: str, name: str) -> None:
    assert named(knowledge, text) == {name}


@pytest.mark.parametrize(
    "text",
    [
        "neumonía descartada", "wykluczono zapalenie płuc", "pneumonia excluída", "embolie pulmonaire éliminée", "ausgeschlossene Hirnblutung",
        "St. p. Pneumonie", "脑梗死后遗症", "breast cancer in remission", "leucémie en rémission", "肺炎疫苗接种", "vaccin hépatite B",
        "Kontakt mit Tuberkulose", "histórico familiar de tuberculose", "désir de grossesse", "pregnant wife", "stillt nicht", "非哺乳期",
        "Melanoma in situ", "IAM antiguo", "nicht schwanger", "non enceinte", "niet zwanger", "未怀孕", "未妊娠", "Latente Tuberkulose",
        "tuberculose latente", "潜伏性结核", "陈旧性肺结核",
    ],
)  # fmt: skip
def test_more_that_is_over_denied_or_anothers(knowledge: Knowledge, text: str) -> None:
    assert named(knowledge, text) == set()


@pytest.mark.parametrize(
    ("text", "mild"), [("Stomatitis Grad 1", True), ("mild stomatitis", True), ("Stomatitis", False)]
)
def test_what_is_called_mild(knowledge: Knowledge, text: str, mild: bool) -> None:
    assert [each.mild for each in named_problems(text, knowledge)] == [mild]


@pytest.mark.parametrize("text", ["critpath", "pregnancies of others" * 20, "thrombocytopenia", "purpurae", ""])
def test_a_part_of_a_word_is_no_name(knowledge: Knowledge, text: str) -> None:
    assert named(knowledge, text) == set()
