"""The codes that the oracle knows: a handful of clinical-evidence, sections 4 and 6, and of rules/valuesets."""

from __future__ import annotations

from decimal import Decimal

# clinical-evidence, section 6 and the drug table of section 4; rules/valuesets
STRONG_INHIBITORS = {"21212": "clarithromycin", "121243": "voriconazole", "28031": "itraconazole", "85762": "ritonavir",
                     "282446": "posaconazole"}  # fmt: skip
STRONG_INDUCERS = {"9384": "rifampin", "2002": "carbamazepine", "8183": "phenytoin"}
MODERATE_INHIBITORS = {"4450": "fluconazole", "3443": "diltiazem", "703": "amiodarone"}
MODERATE_INDUCERS = {"195085": "efavirenz", "75207": "bosentan"}
CICLOSPORIN = {"3008": "cyclosporine"}
STEROIDS = {"8640": "prednisone", "3264": "dexamethasone", "6902": "methylprednisolone"}
STIMULATORS = {
    "711942": "eltrombopag",
    "805452": "romiplostim",
    "B02BX08": "avatrombopag",
    "hetrombopag": "hetrombopag",
}
SYK_AND_BTK = {"B02BX09": "fostamatinib", "rilzabrutinib": "rilzabrutinib"}
FCRN = {"efgartigimod": "efgartigimod"}
VINCRISTINE, RHTPO = {"11202": "vincristine"}, {"rhtpo": "rhTPO"}
DANAZOL = {"3102": "danazol", "danazol": "danazol", "G03XA01": "danazol"}
RITUXIMAB = {"121191": "rituximab"}
IMMUNOGLOBULINS = {"J06BA02": "immunoglobulin (IV/SC)", "35465": "Rho(D) immune globulin"}
SIROLIMUS = {"35302": "", "905158": "tablets", "349208": "tablets", "360110": "tablets", "314230": "solution"}
TABLET_MG = {"905158": Decimal("0.5"), "349208": Decimal(1), "360110": Decimal(2)}
LEVELS = {"29247-4": "level", "115766-8": "trough", "80548-1": "rejected"}  # dried blood spot
PLATELETS = {"777-3": "", "778-1": "", "26515-7": "", "13056-7": "rejected"}
CLUMPS = ("7796-6", "40741-1")
WEIGHT, HEIGHT = "29463-7", "8302-2"
PLATELET_TRANSFUSION, SPLENECTOMY = "180208003", "234319005"
NMOL = Decimal("0.91417")  # docs/fhir.md, Units: the molar mass of sirolimus is 914.17 g/mol
NOT_BLOOD = ("serum", "plasma", "dried")

GRADE = "who-bleeding-grade"  # rules/valuesets/bleeding-grade
LABS = {  # rules/valuesets/laboratory: the group of a code, and the unit in which it is judged
    "751-8": "neutrophils",
    "731-0": "lymphocytes",
    "718-7": "hemoglobin",
    "2571-8": "triglycerides",
    "14927-8": "triglycerides",
    "2093-3": "cholesterol",
    "14647-2": "cholesterol",
    "2160-0": "creatinine",
    "14682-9": "creatinine",
    "38483-4": "creatinine",
    "1742-6": "alt",
    "1920-8": "ast",
    "2890-2": "protein-ratio",
    "1558-6": "glucose",
    "14771-0": "glucose",
    "2345-7": "random-glucose",
    "2339-0": "random-glucose",
    "9318-7": "albumin-ratio",
    "4548-4": "hba1c",
    "59408-5": "oxygen",
    "2708-6": "oxygen",
    "1975-2": "bilirubin",
    "14631-6": "bilirubin",
}
SCREENING = {  # rules/valuesets/screening and pregnancy
    "5195-3": "hbsag",
    "5196-1": "hbsag",
    "16933-4": "anti-hbc",
    "13952-7": "anti-hbc",
    "42595-9": "hbv-dna",
    "13955-0": "hepatitis-c",
    "56888-1": "hiv",
    "71773-6": "tuberculosis-test",
    "2106-3": "hcg",
    "2118-8": "hcg",
}
YES_OR_NO = tuple(SCREENING)
PANELS = {  # rules/valuesets/panel
    "57021-8": ("blood-count",),
    "57698-3": ("lipids",),
    "24325-3": ("liver-panel",),
    "24323-8": ("creatinine", "liver-panel", "random-glucose"),
}
PREGNANCY_STATUS = "82810-3"
IS_PREGNANT, IS_NOT_PREGNANT = "77386006", "60001007"
OPERATIONS = {"234319005": "splenectomy", "38102005": "cholecystectomy", "52734007": "total hip replacement"}
SURGERY = "387713003"
DRUG_NAMES = {  # drugs that come as a name only: how the name begins, or what it holds
    "hetrombopag": "hetrombopag",
    "海曲泊帕": "hetrombopag",
    "rhtpo": "rhtpo",
    "重组人血小板生成素": "rhtpo",
    "efgartigimod": "efgartigimod",
    "rilzabrutinib": "rilzabrutinib",
    "danazol": "danazol",
    "mycophenolate": "mycophenolate",
}
SIROLIMUS_ALLERGENS = {"35302": "sirolimus", "141704": "everolimus"}
EXCIPIENTS = {"91935009": "peanut", "714035009": "soya"}
ACE_INHIBITORS = {"29046": "lisinopril", "3827": "enalapril", "35296": "ramipril"}
BLEEDING_RISKS = {"1191": "aspirin", "5640": "ibuprofen", "1364430": "apixaban", "B01AA04": "phenprocoumon"}
MTOR_INHIBITORS = {"141704": "everolimus"}
TACROLIMUS = {"42316": "tacrolimus"}
LIVE_VACCINES = {"cvx:21": "varicella vaccine", "cvx:121": "live zoster vaccine", "cvx:37": "yellow fever vaccine"}
UNSPECIFIED_VACCINES = {"cvx:188": "zoster vaccine, kind not said", "cvx:91": "typhoid vaccine, kind not said"}
HERBALS = {"258326": "St. John's wort extract", "N03AX24": "cannabidiol"}
GRAPEFRUIT = {"1431224": "grapefruit", "124323": "grapefruit"}
ANTIVIRALS = {"J05AF10": "entecavir", "J05AF07": "tenofovir"}
IMMUNOSUPPRESSANTS = {
    "68149": "mycophenolate",
    "L04AA06": "mycophenolate",
    "mycophenolate": "mycophenolate",
    "1256": "azathioprine",
    "3002": "cyclophosphamide",
}
PJP_PROPHYLAXIS = {"10180": "sulfamethoxazole", "3108": "dapsone"}
PREDNISONE = {"8640": Decimal(1), "6902": Decimal("1.25"), "3264": Decimal("6.67")}  # rules/definitions.yaml
