"""Infections that sirolimus may activate: hepatitis B, and Pneumocystis if the risk is new."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from cds.chart.model import DrugUse, Lab, Unread
from cds.chart.samples import distinct
from cds.chart.times import Moment
from cds.chart.words import on_day, reported, said
from cds.course.episodes import Episode
from cds.course.kinds import Episodes, Labs, Problems, RoleEpisodes, TestOrders, UnitOf, Uses
from cds.course.patient import Patient
from cds.course.steroids import Steroids
from cds.plan.declare import Answer, Days, Known, Named, Number, Numbers, Unknown, flag, names, part, text

_NOT_ASKED = "sirolimus is neither taken nor ordered"
IsPassive = Callable[[Lab], bool]


@part
def prescribed(patient: Patient) -> Answer[bool]:
    """Whether sirolimus is taken or being ordered; otherwise nothing is reported about the infections that it may activate."""
    return True if patient.taking or patient.drafts else Unknown(_NOT_ASKED)


@part
def is_passive(immunoglobulin_uses: Uses, passive_antibody: Days, now: datetime) -> IsPassive:
    """A function that tells whether a positive core antibody may come from immunoglobulin given in the half year before it."""
    spans = sorted(
        (use.start.day, _last_day(use, now)) for use in immunoglobulin_uses if not use.draft and use.start is not None
    )
    starts = [start for start, _ in spans]
    reached = list(itertools.accumulate((end for _, end in spans), max))  # the latest end of all that began by then
    days = timedelta(days=passive_antibody)

    def may_be_passive(lab: Lab) -> bool:
        place = bisect_right(starts, lab.moment.day) if lab.moment is not None else 0
        return place > 0 and lab.moment is not None and lab.moment.day <= reached[place - 1] + days

    return may_be_passive


def _last_day(use: DrugUse, now: datetime) -> date:
    """The last day on which a drug was given, as far as the record says."""
    if use.end is not None:
        return use.end.day
    assert use.start is not None
    return now.date() if use.status == "active" and not use.given else use.start.day


def _newest(labs: Sequence[Lab]) -> Lab | None:
    """The newest readable result that is not preliminary; of two at the same time, the positive one."""
    known = [lab for lab in labs if lab.moment is not None and not lab.problem and lab.status != "preliminary"]
    return max(known, key=lambda lab: (lab.moment.sort_key() if lab.moment else (), lab.positive), default=None)


@text("the antigen, antibody or condition that indicates hepatitis B, with its date")
def hepatitis_b(
    prescribed: bool,
    hepatitis_b_problems: Problems,
    hbsag_labs: Labs,
    anti_hbc_labs: Labs,
    hbv_dna_labs: Labs,
    is_passive: IsPassive,
) -> Answer[str]:
    own = [lab for lab in anti_hbc_labs if lab.positive and not is_passive(lab)]
    found = [
        (f"{each.display.lower()} on the problem list", each.reference) for each in hepatitis_b_problems if each.active
    ]
    for what, lab in (
        ("surface antigen positive", _newest(hbsag_labs)),
        ("core antibody positive", _newest(own)),
        ("viral load detected", _newest(hbv_dna_labs)),
    ):
        if lab is not None and lab.positive:
            found.append((f"{what} on {on_day(lab.moment)}", lab.reference))
    if not found:
        return Unknown("no sign of hepatitis B is on record")
    return Known("; ".join(words for words, _ in found), [reference for _, reference in found])


@flag("an antiviral is taken, or the viral load was measured lately or is on order")
def hepatitis_b_covered(
    prescribed: bool,
    hbv_antiviral_episodes: Episodes,
    hbv_antiviral_uses: Uses,
    hbv_dna_labs: Labs,
    hbv_dna_orders: TestOrders,
    hbv_dna_valid: Days,
    now: datetime,
) -> Answer[bool]:
    """A recent viral load counts if it was negative."""
    covered = [each for episode in hbv_antiviral_episodes if episode.active for each in episode.references]
    covered += [use.reference for use in hbv_antiviral_uses if use.draft]
    load = _newest(hbv_dna_labs)
    if load is None or not load.positive:
        recent = load is not None and load.moment is not None and load.moment.days_until(now) <= hbv_dna_valid
        covered += [load.reference] if load is not None and recent else []
        covered += hbv_dna_orders
    return Known(bool(covered), covered)


@flag("the newest hepatitis B virus DNA is positive")
def hepatitis_b_virus(hbv_dna_labs: Labs) -> Answer[bool]:
    """Also during an antiviral."""
    load = _newest(hbv_dna_labs)
    found = [load.reference] if load is not None and load.positive else []
    return Known(bool(found), found)


@part
def unreadable_hepatitis_tests(hbsag_labs: Labs, anti_hbc_labs: Labs, hbv_dna_labs: Labs) -> list[Unread]:
    """Results of hepatitis B tests that cannot be read."""
    labs = [*hbsag_labs, *anti_hbc_labs, *hbv_dna_labs]
    return [Unread(lab.reference, lab.problem, "hepatitis-b") for lab in labs if lab.problem]


@flag("a drug against Pneumocystis is taken or being ordered")
def pneumocystis_prophylaxis(
    prescribed: bool, pjp_prophylaxis_episodes: Episodes, pjp_prophylaxis_uses: Uses
) -> Answer[bool]:
    taken = [each for episode in pjp_prophylaxis_episodes if episode.active for each in episode.references]
    found = taken + [use.reference for use in pjp_prophylaxis_uses if use.draft]
    return Known(bool(found), found)


class Risks(Numbers, frozen=True):
    """Days for which a risk is new; age limit of an infant in years; steroid dose in mg/day of prednisone, and for how many days."""

    risk_shown: int
    infant_age: int
    pneumocystis_steroid: Decimal
    pneumocystis_steroid_days: int


@names("what raises the risk of Pneumocystis pneumonia, while it is new", none="no such risk is new")
def pneumocystis_risks(
    prescribed: bool,
    patient: Patient,
    risks: Risks,
    steroids: Steroids,
    second_suppressants: list[Named],
    few_lymphocytes: list[Named],
) -> Answer[list[Named]]:
    return [*_infant(patient, risks), *_steroid(patient, risks, steroids), *second_suppressants, *few_lymphocytes]


def _infant(patient: Patient, risks: Risks) -> Iterator[Named]:
    infant = patient.surely_under(risks.infant_age, patient.now.date())
    if infant and (patient.day or 0) <= risks.risk_shown:
        yield Named(f"age under {risks.infant_age} years", "", (patient.reference,))


def _steroid(patient: Patient, risks: Risks, steroids: Steroids) -> Iterator[Named]:
    """A steroid dose this high for this long; the risk is new if that point, or a later start of sirolimus, is recent."""
    limit = risks.pneumocystis_steroid
    high = steroids.since(lambda dose: dose >= limit)
    if high is None or high.start is None:
        return
    days = high.start.days_until(patient.now) - risks.pneumocystis_steroid_days
    start = patient.course.start
    new = min(days, start.days_until(patient.now)) if start is not None else days
    if days >= 0 and (_begins(patient) or new <= risks.risk_shown):
        words = f"{said(limit)} mg/day of prednisone or more since {on_day(high.start)}"
        yield Named("corticosteroid", words, (high.reference,))


def _begins(patient: Patient) -> bool:
    """Whether sirolimus itself is what is new."""
    return bool(patient.drafts) and not patient.taking


@part
def second_suppressants(
    suppressant_episodes: RoleEpisodes, rituximab_acts: Days, risk_shown: Days, patient: Patient
) -> list[Named]:
    """A second immunosuppressant that acts now, if it is new or the sirolimus it is combined with is new."""
    return [
        Named(episode.name, f"a second immunosuppressant, since {on_day(episode.start)}", episode.references)
        for episode in suppressant_episodes
        if episode.active or _still_acts(episode, rituximab_acts, patient.now)
        if _begins(patient) or _met_lately(episode, patient, risk_shown)
    ]


def _still_acts(episode: Episode, acts: int, now: datetime) -> bool:
    """Rituximab goes on acting for months after its last infusion."""
    return episode.valueset == "rituximab" and episode.end is not None and episode.end.days_until(now) <= acts


def _met_lately(episode: Episode, patient: Patient, shown: int) -> bool:
    """Whether the later of the two drugs began in the last ``shown`` days."""
    starts = [moment for moment in (episode.start, patient.course.start) if moment is not None]
    return bool(starts) and max(starts, key=Moment.sort_key).days_until(patient.now) <= shown


@part
def few_lymphocytes(
    lymphocytes_labs: Labs, lymphocytes_grade_3: Number, lab_recent: Days, lymphocytes_unit: UnitOf, now: datetime
) -> list[Named]:
    """Few lymphocytes. Neutrophils are not used: the prophylaxis can lower them further."""
    newest = next((lab for lab in distinct(lymphocytes_labs) if lab.status != "preliminary"), None)
    if newest is None or newest.amount is None or newest.moment is None or newest.amount.comparator.startswith(">"):
        return []
    if newest.moment.days_until(now) > lab_recent or newest.amount.value >= lymphocytes_grade_3:
        return []
    return [Named("few lymphocytes", reported(newest, lymphocytes_unit), (newest.reference,))]
