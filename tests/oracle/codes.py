"""The codes that the oracle knows: a handful of clinical-evidence, sections 4 and 6, and of rules/valuesets."""

from __future__ import annotations

from decimal import Decimal

# clinical-evidence, section 6 and the drug table of section 4; rules/valuesets
STRONG_INHIBITORS = {"21212": "clarithromycin", "121243": "voriconazole", "28031": "itraconazole", "85762": "ritonavir"}
STRONG_INDUCERS = {"9384": "rifampin", "2002": "carbamazepine", "8183": "phenytoin"}
MODERATE_INHIBITORS = {"4450": "fluconazole", "3443": "diltiazem", "703": "amiodarone"}
MODERATE_INDUCERS = {"195085": "efavirenz", "75207": "bosentan"}
CICLOSPORIN = {"3008": "cyclosporine"}
STEROIDS = {"8640": "prednisone", "3264": "dexamethasone", "6902": "methylprednisolone"}
STIMULATORS = {"711942": "eltrombopag", "805452": "romiplostim", "11202": "vincristine"}
RITUXIMAB = {"121191": "rituximab"}
IMMUNOGLOBULINS = {"J06BA02": "immunoglobulin (IV/SC)", "35465": "Rho(D) immune globulin"}
SIROLIMUS = {"35302": "", "905158": "tablets", "349208": "tablets", "360110": "tablets", "314230": "solution"}
TABLET_MG = {"905158": Decimal("0.5"), "349208": Decimal(1), "360110": Decimal(2)}
LEVELS = {"29247-4": "level", "115766-8": "trough", "80548-1": "rejected"}  # dried blood spot
PLATELETS = {"777-3": "", "778-1": "", "26515-7": "", "13056-7": "rejected"}
CLUMPS = ("7796-6", "40741-1")
WEIGHT, HEIGHT = "29463-7", "8302-2"
ITP = ("32273002", "2897005", "D69.3")
BLEEDING = ("249366005", "86276007", "12063002", "131148009", "271813007", "387778001")
PLATELET_TRANSFUSION, SPLENECTOMY = "180208003", "234319005"
NMOL = Decimal("0.91417")  # docs/fhir.md, Units: the molar mass of sirolimus is 914.17 g/mol
NOT_BLOOD = ("serum", "plasma", "dried")
