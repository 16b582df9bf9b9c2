"""What a problem is: its kinds, by the codes of six systems or, without any code, by its name.

"Each condition that a rule reads has SNOMED CT (with the descendants listed), ICD-10 (WHO), ICD-10-CM and ICD-10-GM, by
prefix where the chapter allows it, and ICD-11 where known" (rule-semantics, Conditions; clinical-evidence, section 6).
"""

from __future__ import annotations

from tests.oracle.record import Json

SNOMED = {
    "32273002": "itp", "2897005": "itp",
    "271813007": "skin bleed", "387778001": "skin bleed",
    "249366005": "bleed", "86276007": "bleed", "12063002": "bleed", "131148009": "bleed", "34436003": "bleed",
    "74474003": "gut bleed", "2901004": "gut bleed",
    "1386000": "grave bleed", "95549001": "grave bleed",
    "205237003": "lungs", "64667001": "lungs", "233703007": "lungs",
    "267036007": "breathless", "386661006": "fever", "409089005": "febrile neutropenia",
    "91302008": "sepsis", "233604007": "infection", "4740000": "infection",
    "56717001": "tuberculosis", "415125002": "pneumocystis", "65553006": "fungus",
    "866041003": "breastfeeding", "69840006": "breastfeeding",
    "77386006": "pregnant", "72892002": "pregnant",
    "41291007": "angioedema", "66071002": "hepatitis b", "61977001": "hepatitis b",
    "75331009": "evans syndrome", "55464009": "systemic lupus erythematosus",
    "61170000": "stomatitis", "26284000": "stomatitis",
    "118600007": "malignancy", "254837009": "malignancy",
    "128053003": "thrombosis", "59282003": "thrombosis", "22298006": "thrombosis", "422504002": "thrombosis",
    "19943007": "liver", "59927004": "liver",
}  # fmt: skip
ICD_10 = (  # prefix and kind; WHO, CM and GM are read alike but for what stands in ONLY_CM
    ("D69.3", "itp"),
    ("R23.3", "skin bleed"), ("D69.2", "skin bleed"),
    ("R04.0", "bleed"), ("K62.5", "bleed"), ("R31", "bleed"), ("R58", "bleed"),
    ("K92.0", "gut bleed"), ("K92.1", "gut bleed"), ("K92.2", "gut bleed"),
    ("I60", "grave bleed"), ("I61", "grave bleed"), ("I62", "grave bleed"), ("R04.1", "grave bleed"),
    ("R04.2", "grave bleed"),
    ("J84", "lungs"), ("J70.2", "lungs"), ("J70.3", "lungs"), ("J70.4", "lungs"),
    ("R06.0", "breathless"), ("R50", "fever"),
    ("A40", "sepsis"), ("A41", "sepsis"), ("R65.2", "sepsis"),
    ("J12", "infection"), ("J13", "infection"), ("J14", "infection"), ("J15", "infection"), ("J16", "infection"),
    ("J17", "infection"), ("J18", "infection"), ("B02", "infection"),
    ("A15", "tuberculosis"), ("A16", "tuberculosis"), ("A17", "tuberculosis"), ("A18", "tuberculosis"),
    ("A19", "tuberculosis"), ("B59", "pneumocystis"), ("B44", "fungus"), ("B45", "fungus"), ("B46", "fungus"),
    ("Z39.1", "breastfeeding"), ("Z39", "outcome"), ("Z37", "outcome"),
    ("Z33", "pregnant"), ("Z34", "pregnant"), ("Z35", "pregnant"),
    ("T78.3", "angioedema"), ("B18.1", "hepatitis b"), ("M32", "systemic lupus erythematosus"),
    ("K12.1", "stomatitis"), ("K12.3", "stomatitis"),
    ("I26", "thrombosis"), ("I80.2", "thrombosis"), ("I82", "thrombosis"), ("I21", "thrombosis"),
    ("I63", "thrombosis"),
    ("K74.6", "liver"), ("K70.3", "liver"), ("K72", "liver"),
)  # fmt: skip
ONLY_CM = {"D69.41": "evans syndrome"}
ICD_11 = {"1G40": "sepsis", "CA40.Z": "infection", "1E91.Z": "infection", "1B10.Z": "tuberculosis",
          "CB03.Z": "lungs", "DA01.Z": "stomatitis", "2A8Z": "malignancy", "BD71.Z": "thrombosis",
          "DB93.1": "liver", "3B64.10": "itp"}  # fmt: skip
NAMES = {
    "sepsis": "sepsis", "pneumonia": "infection", "pneumonie": "infection", "herpes zoster": "infection",
    "带状疱疹": "infection", "tuberculosis": "tuberculosis", "aspergillosis": "fungus",
    "interstitial lung disease": "lungs", "stomatitis": "stomatitis", "lymphoma": "malignancy",
    "breast cancer": "malignancy", "deep vein thrombosis": "thrombosis", "pulmonary embolism": "thrombosis",
    "cirrhosis of liver": "liver", "leberzirrhose": "liver", "angioedema": "angioedema", "pregnant": "pregnant",
}  # fmt: skip
EVENT = "T78.3XXA"  # of the seventh characters of an injury, A is the event; D and S come after it

MILD = ("255604002",)
BLEEDS = ("skin bleed", "bleed", "gut bleed", "grave bleed")
INFECTIONS = ("infection", "tuberculosis", "fungus", "pneumocystis")


def kinds(concept: Json) -> list[str]:
    """The kinds of a problem; of one without any code, by its name."""
    found: list[str] = []
    for coding in concept.get("coding", []):
        found += _kinds(coding.get("system", ""), coding.get("code", ""))
    if not concept.get("coding"):
        found += [NAMES[name] for name in [concept.get("text", "").strip().lower()] if name in NAMES]
    return list(dict.fromkeys(found))


def _kinds(system: str, code: str) -> list[str]:
    if "snomed" in system:
        return [SNOMED[code]] if code in SNOMED else []
    if "icd/release/11" in system:
        return [ICD_11[code]] if code in ICD_11 else []
    if "icd-10" not in system:
        return []
    found = [kind for prefix, kind in ICD_10 if code.startswith(prefix)]
    if "icd-10-cm" in system and code in ONLY_CM:
        found.append(ONLY_CM[code])
    if code.startswith("Z33.2"):  # an encounter for ending it
        return ["outcome"]
    if code.startswith("T78.3XX") and code != EVENT:
        return ["angioedema once"]
    return found + _chapters(code)


def _chapters(code: str) -> list[str]:
    """Whole chapters: tumours but those of the skin (C44), pregnancy but what ended it (O00-O08, O80-O99)."""
    if len(code) < 3 or not code[1:3].isdigit():
        return []
    number = int(code[1:3])
    if code[0] == "C" and number != 44:
        return ["malignancy"]
    if code[0] == "O":
        return ["pregnant"] if 9 <= number <= 79 else ["outcome"]
    return []
