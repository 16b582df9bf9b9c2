"""Which cards advise less sirolimus: the table of directions.

"Less: hold, stop or lower sirolimus, remove its draft, remove or avoid an inhibitor. Removing any other drug, a vaccine
or an inducer has none; ordering tests has none. A card whose words advise less declares that direction" (rule-semantics,
Advice as a whole). A card that offers more, or only speaks, has no direction here.
"""

from __future__ import annotations

LESS = "less"

ADVISE_LESS: dict[str, tuple[str, ...]] = {  # rule: the urgencies at which its words advise less
    "dose-above-window": ("warning",),
    "dose-far-above-window": ("critical",),
    "dose-above-daily-maximum": ("critical",),
    "child-dose-by-size": ("critical", "warning"),
    "step-down-to-maintenance": ("info",),
    "taper-in-response": ("info",),
    "trough-high": ("warning",),
    "trough-critical": ("critical",),
    "strong-inhibitor": ("critical",),
    "allergy": ("critical",),
    "falling-platelets-on-sirolimus": ("warning",),
    "hepatic-impairment": ("warning",),
    "liver-enzymes": ("warning",),
    "malignancy": ("critical",),
    "neutropenia": ("critical", "warning"),
    "pneumonitis": ("critical", "warning"),
    "pregnancy": ("critical",),
    "proteinuria": ("critical",),
    "serious-infection": ("critical", "warning"),
    "stomatitis": ("warning",),
    "surgery-planned": ("warning",),
    "thrombosis": ("warning",),
    "hyperlipidaemia": ("critical",),
}

# one urgency, two advices: what the card speaks of decides
OTHERWISE: dict[tuple[str, str], str] = {
    ("stomatitis", "mild"): "",  # "less for grade 2 or more or ungraded"
    ("thrombosis", "old"): "",  # "less while acute"
    ("pneumonitis", "from before"): "",  # "a warning at the start only": a caution
    ("hyperlipidaemia", "cholesterol above 500"): LESS,  # "below that the card does not advise a lower dose"
    ("food-and-herbal", "inhibitor"): LESS,  # cannabidiol raises the level; St John's wort lowers it
}


def direction(rule: str, indicator: str, speaks_of: str) -> str:
    """What a card advises on the exposure to sirolimus: "less", or nothing."""
    if (rule, speaks_of) in OTHERWISE:
        return OTHERWISE[rule, speaks_of]
    return LESS if indicator in ADVISE_LESS.get(rule, ()) else ""
