"""Random sets of rules: some made of nothing, some shipped rules that were changed in a few places. One seed, one set."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from msgspec.structs import replace

from cds.compiled.knowledge import Condition, Knowledge, Level, Rule, Suggestion, Variant, Withheld
from cds.vocabulary import OFFERS, VOCABULARY

HOOKS = ("patient-view", "order-select", "order-sign")
_FACTS = (
    "trough", "trough", "newest_level", "newest_level", "trough_basis", "in_response", "response_unclear", "itp_on_record",
    "trough_answered_by_draft", "trough_age", "days_on_sirolimus", "neutrophils", "platelet_count", "oxygen_saturation", "gaps",
    "harms", "serious_infections", "age_group", "ordering",
)  # fmt: skip
_LIMITS = {"trough": (5, 15, 20), "newest_level": (5, 15, 20), "trough_age": (0, 14)}
_SHIPPED = (
    "trough-critical", "trough-high", "trough-low", "trough-low-in-response", "trough-not-usable", "exposure-shift", "not-assessed",
    "neutropenia", "dose-below-window", "dose-above-window", "pneumonitis", "falling-platelets-on-sirolimus",
)  # fmt: skip


def made(seed: int, shipped: Knowledge) -> Knowledge:
    """A random set of rules over the definitions of ``shipped``."""
    random = Random(seed)
    rules = _changed(random, shipped) if seed % 2 else _of_nothing(random)
    withheld = [each for each in shipped.withheld if random.random() < 0.7] if seed % 2 else [_withheld(random)]
    return replace(shipped, hash=f"random {seed}", rules=tuple(rules), withheld=tuple(withheld))


def _of_nothing(random: Random) -> list[Rule]:
    rules: list[Rule] = []
    for number in range(random.randint(3, 7)):
        levels = [_level(random) for _ in range(random.choice((1, 1, 2)))]
        variants = [
            Variant(at, {}, tuple(_branch(random) for _ in range(random.randint(1, 2)))) for at in range(len(levels))
        ]
        yields = [each.id for each in rules if random.random() < 0.25]
        rules.append(_rule(random, f"rule-{number}", variants, levels, yields))
    return rules


def _rule(random: Random, name: str, variants: list[Variant], levels: list[Level], yields: list[str]) -> Rule:
    hooks = tuple(hook for hook in HOOKS if random.random() < 0.6) or HOOKS
    return Rule(name, "trough", name, "draft", hooks, 50, tuple(variants), tuple(levels), tuple(yields), (), "", ())


def _level(random: Random) -> Level:
    dose = random.choice([*OFFERS, "daily_dose", ""])
    listed = random.choice(("", "serious_infections"))
    suggestion = Suggestion("", "change_dose", dose, each=listed, direction=random.choice(("", "more", "less")))
    return Level(
        random.choice(("info", "warning", "critical")),
        "",
        (),
        (),
        (),
        (suggestion,) if random.random() < 0.7 else (),
        random.choice(("", "less")),
    )


def _branch(random: Random) -> tuple[Condition, ...]:
    facts = dict.fromkeys(random.choice(_FACTS) for _ in range(random.randint(1, 4)))
    return tuple(_condition(random, fact) for fact in facts)


def _condition(random: Random, fact: str) -> Condition:
    entry = VOCABULARY[fact]
    if entry.type == "names" or (fact != "ordering" and random.random() < 0.15):
        return Condition(fact, random.choice(("present", "absent")))
    if entry.type == "number":
        limit = random.choice(_LIMITS.get(fact, (1, 50)))
        return Condition(fact, random.choice(("<", "<=", ">", ">=")), number=Decimal(limit))
    if entry.type == "code":
        return Condition(fact, random.choice(("is", "is not")), word=random.choice(entry.codes))
    return Condition(fact, "is", flag=random.random() < 0.7)


def _withheld(random: Random) -> Withheld:
    return Withheld("reason", "a reason", (_branch(random),), True)


def _changed(random: Random, shipped: Knowledge) -> list[Rule]:
    """Shipped rules, a few of them left out and one or two changed."""
    rules = [shipped.rule(name) for name in _SHIPPED if random.random() < 0.9]
    for _ in range(random.randint(0, 2)):
        at = random.randrange(len(rules))
        rules[at] = random.choice((_other_condition, _other_yields, _other_hooks, _other_urgency))(
            random, rules[at], rules
        )
    return rules


def _other_condition(random: Random, rule: Rule, rules: list[Rule]) -> Rule:
    """One comparison turned to its neighbour, moved, or left out."""
    variants = list(rule.variants)
    at = random.randrange(len(variants))
    branches = list(variants[at].branches)
    place = random.randrange(len(branches))
    branch = list(branches[place])
    number = random.randrange(len(branch))
    test = branch[number]
    if test.number is not None and random.random() < 0.8:
        turned = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}[test.operator]
        branch[number] = random.choice((replace(test, operator=turned), replace(test, number=test.number + 1)))
    elif len(branch) > 1:
        del branch[number]
    branches[place] = tuple(branch)
    variants[at] = replace(variants[at], branches=tuple(branches))
    return replace(rule, variants=tuple(variants))


def _other_yields(random: Random, rule: Rule, rules: list[Rule]) -> Rule:
    """Gives way to nothing, or to one rule more that gives way to none itself."""
    free = [each.id for each in rules if not each.yields_to and each.id != rule.id]
    return replace(rule, yields_to=random.choice(((), (*rule.yields_to, random.choice(free or ["none"])))))


def _other_hooks(random: Random, rule: Rule, rules: list[Rule]) -> Rule:
    return replace(rule, hooks=(random.choice(HOOKS),))


def _other_urgency(random: Random, rule: Rule, rules: list[Rule]) -> Rule:
    levels = [replace(level, indicator=random.choice(("info", "warning", "critical"))) for level in rule.levels]
    return replace(rule, levels=tuple(levels))
