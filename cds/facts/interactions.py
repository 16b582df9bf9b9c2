"""Drugs taken with sirolimus whose risk no level can settle: ordered, stated, or just stopped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from cds.chart.drugs import BEGINS_LATER
from cds.chart.model import DrugUse, Lab, Unread
from cds.chart.times import Moment
from cds.chart.words import listed, on_day
from cds.compiled.knowledge import DrugClass
from cds.course.counts import Count
from cds.course.episodes import Episode
from cds.course.kinds import Episodes, RoleEpisodes, RoleUses, Samples, TestOrders, Uses
from cds.course.levels import Judged
from cds.course.modulators import drafted
from cds.course.patient import Patient
from cds.plan.declare import Answer, Days, Known, Named, Number, Unknown, flag, names, part, text

HERBALS = ("St. John's wort extract", "cannabidiol", "schisandra (Wuzhi)")
"""Remedies that people take without an order; one that is stated and not ordered is reported as such."""
HERBAL_INDUCERS = ("St. John's wort extract",)
_NONE = "no such drug meets sirolimus now"
_NO_REMEDY = "no such remedy is stated"


@flag("an order of a drug that moves the level begins later")
def interaction_ahead(begins_later: tuple[Unread, ...]) -> Answer[bool]:
    found = [item.reference for item in begins_later if item.reason == BEGINS_LATER and item.subject != "sirolimus"]
    return Known(bool(found), found)


@flag("a drug that moves the level is taken only as needed")
def interaction_as_needed(inhibitor_or_inducer_episodes: RoleEpisodes) -> Answer[bool]:
    """A level tells nothing of doses that may or may not have been taken before it."""
    found = [use.reference for each in inhibitor_or_inducer_episodes for use in each.uses if _may_be_taken(use)]
    return Known(bool(found), found)


def _may_be_taken(use: DrugUse) -> bool:
    return use.as_needed and use.status == "active"


def listed_once(found: Iterable[Named]) -> list[Named]:
    """Each name once, in alphabetical order."""
    unique = {one.name: one for one in reversed(list(found))}
    return [unique[key] for key in sorted(unique)]


def known_on(found: list[Named], day: date | None) -> Answer[list[Named]]:
    """The items found, with their resources, and ``day`` as the date from which a rule may count."""
    return Known(found, [reference for each in found for reference in each.references], day) if found else found


def is_stated_herbal(episode: Episode) -> bool:
    """Whether the episode is of a remedy that the patient takes without an order."""
    stated = all(use.reference.startswith("MedicationStatement") for use in episode.uses)
    return episode.name in HERBALS and stated


def partners(
    patient: Patient, uses: Sequence[DrugUse], episodes: Sequence[Episode], shown: int | None = None
) -> list[Named]:
    """Drugs drafted or taken; with ``shown``, on patient-view only those first combined with sirolimus in the last ``shown`` days."""
    asked = patient.drafts if patient.ordering else patient.taking
    running = [episode for episode in episodes if episode.active and asked and not is_stated_herbal(episode)]
    spoken = [each for each in running if shown is None or patient.ordering or met_within(patient, each, shown)]
    return [*(_draft(use) for use in drafted(patient, uses)), *(named(episode) for episode in spoken)]


def _draft(use: DrugUse) -> Named:
    return Named(use.name, "draft order" + (", matched by name" if use.by_name else ""), (use.reference,), draft=True)


def named(episode: Episode) -> Named:
    """An interacting drug as a card lists it."""
    by_name = ", matched by name" if any(use.by_name for use in episode.uses) else ""
    return Named(episode.name, f"since {on_day(episode.start)}{by_name}", episode.references)


def met_within(patient: Patient, episode: Episode, days: int) -> bool:
    """Whether the later of the two drugs began in the last ``days`` days; a drug with an unknown start counts as recent."""
    starts = [moment for moment in (episode.start, patient.course.start) if moment is not None]
    if episode.start is None or not starts or (patient.drafts and not patient.taking):
        return True  # a draft that takes sirolimus up again would bring them together today
    return max(starts, key=Moment.sort_key).days_until(patient.now) <= days


@names("ciclosporin taken or ordered with sirolimus", none=_NONE)
def ciclosporin(patient: Patient, ciclosporin_uses: Uses, ciclosporin_episodes: Episodes) -> Answer[list[Named]]:
    """Dated on the day on which the last of it began, if that is known and none of it is only a draft order."""
    found = listed_once(partners(patient, ciclosporin_uses, ciclosporin_episodes))
    starts = [each.start.day for each in ciclosporin_episodes if each.active and each.start is not None]
    began = None if any(each.draft for each in found) else max(starts, default=None)
    return known_on(found, began)


@names("other mTOR inhibitors taken or ordered with sirolimus", none=_NONE)
def mtor_inhibitors(
    patient: Patient, mtor_inhibitor_uses: Uses, mtor_inhibitor_episodes: Episodes
) -> Answer[list[Named]]:
    return listed_once(partners(patient, mtor_inhibitor_uses, mtor_inhibitor_episodes))


@names("tacrolimus taken or ordered with sirolimus", none=_NONE)
def calcineurin_inhibitors(
    patient: Patient, calcineurin_inhibitor_uses: Uses, calcineurin_inhibitor_episodes: Episodes
) -> Answer[list[Named]]:
    return listed_once(partners(patient, calcineurin_inhibitor_uses, calcineurin_inhibitor_episodes))


@names("ACE inhibitors taken or ordered with sirolimus", none=_NONE)
def ace_inhibitors(
    patient: Patient,
    ace_inhibitor_uses: Uses,
    ace_inhibitor_episodes: Episodes,
    ace_inhibitor_shown: Days,
    angioedema_on_record: bool,
) -> Answer[list[Named]]:
    """With angioedema on record, also one that has been combined with sirolimus for a long time."""
    shown = None if angioedema_on_record else ace_inhibitor_shown
    return listed_once(partners(patient, ace_inhibitor_uses, ace_inhibitor_episodes, shown))


@names("NSAIDs, platelet inhibitors and anticoagulants taken or ordered with sirolimus", none=_NONE)
def bleeding_risk_drugs(
    patient: Patient, bleeding_risk_drug_uses: Uses, bleeding_risk_drug_episodes: Episodes
) -> Answer[list[Named]]:
    return listed_once(partners(patient, bleeding_risk_drug_uses, bleeding_risk_drug_episodes))


@names("grapefruit or its juice, stated or ordered", none=_NONE)
def grapefruit(
    patient: Patient, grapefruit_uses: Uses, grapefruit_episodes: Episodes, herbal_shown: Days
) -> Answer[list[Named]]:
    return listed_once(partners(patient, grapefruit_uses, grapefruit_episodes, herbal_shown))


@names("live vaccines ordered with sirolimus", none=_NONE)
def live_vaccines(patient: Patient, live_vaccine_uses: Uses, live_vaccine_episodes: Episodes) -> Answer[list[Named]]:
    return listed_once(partners(patient, live_vaccine_uses, live_vaccine_episodes))


@names("vaccines ordered by a code that does not say whether they are live", none=_NONE)
def unspecified_vaccines(
    patient: Patient, unspecified_vaccine_uses: Uses, unspecified_vaccine_episodes: Episodes
) -> Answer[list[Named]]:
    return listed_once(partners(patient, unspecified_vaccine_uses, unspecified_vaccine_episodes))


class StoppedDrug(NamedTuple):
    """An inhibitor or inducer that ended, and its last day."""

    kind: str
    named: Named
    on: date


Stopped = list[StoppedDrug]


@part
def stopped(
    patient: Patient,
    levels: list[Judged],
    inhibitor_or_inducer_episodes: RoleEpisodes,
    classes: dict[str, DrugClass],
    settling: dict[str, int],
    shown_after_stop: dict[str, int],
    inducer_settles: Days,
) -> Stopped:
    """Interacting drugs that ended during this course, with their kind, until a later level can show the effect."""
    start = patient.course.start
    if not patient.taking or start is None or not patient.asks_about_sirolimus:
        return []
    usable = [each.moment.day for each in levels if each.verdict == "usable"]
    found = []
    for episode in inhibitor_or_inducer_episodes:
        if episode.active or episode.end is None or episode.end.day < start.day:
            continue
        drugs, since = classes[episode.valueset], episode.end.days_until(patient.now)
        answered = any((day - episode.end.day).days >= settling[episode.valueset] for day in usable)
        if 0 <= since <= shown_after_stop[episode.valueset] and not answered:
            kind = "inhibitor" if "inhibitor" in drugs.roles else "inducer"
            then = (
                "the level will fall"
                if kind == "inhibitor"
                else f"the level will rise over some {inducer_settles} days"
            )
            note = f"{kind} stopped on {on_day(episode.end)}: {then}"
            found.append(StoppedDrug(kind, Named(episode.name, note, episode.references), episode.end.day))
    return found


@names(
    "inhibitors or inducers that ended during the course, with no level since that shows it",
    none="no interacting drug was stopped lately",
)
def stopped_modulators(stopped: Stopped) -> Answer[list[Named]]:
    """Dated on the day on which the last one was stopped."""
    shown = listed_once(each.named for each in stopped)
    return known_on(shown, max((each.on for each in stopped), default=None))


@names("inducers that ended during the course, with no level since that shows it", none="no inducer was stopped lately")
def stopped_inducers(stopped: Stopped) -> Answer[list[Named]]:
    return listed_once(each.named for each in stopped if each.kind == "inducer")


@text("inhibitors that are taken now, however long: they may explain a high level")
def active_inhibitors(inhibitor_episodes: RoleEpisodes) -> Answer[str]:
    """Also inhibitors for which a level has been measured since."""
    taken = [episode for episode in inhibitor_episodes if episode.active]
    if not taken:
        return Unknown("no inhibitor is taken")
    references = [reference for episode in taken for reference in episode.references]
    return Known(listed(sorted({episode.name for episode in taken})), references)


@flag("a strong or moderate inhibitor is taken, or drafted with sirolimus")
def inhibitor_beside(patient: Patient, inhibitor_episodes: RoleEpisodes, inhibitor_uses: RoleUses) -> Answer[bool]:
    taken = [reference for each in inhibitor_episodes if each.active for reference in each.references]
    ahead = [use.reference for use in drafted(patient, inhibitor_uses)]
    return Known(bool(taken or ahead), [*taken, *ahead])


def _is_new(patient: Patient, uses: Sequence[DrugUse], episodes: Sequence[Episode], days: int) -> bool:
    """Whether an interacting drug was first combined with sirolimus in the last ``days`` days, or would be by a draft order."""
    running = [each for each in episodes if each.active]
    known = {each.name for each in running}
    drafts = drafted(patient, uses)
    return any(met_within(patient, each, days) for each in running) or any(use.name not in known for use in drafts)


@flag("ciclosporin met sirolimus in the last {calcineurin_shown} days, or would by a draft")
def ciclosporin_new(
    patient: Patient, ciclosporin_uses: Uses, ciclosporin_episodes: Episodes, calcineurin_shown: Days
) -> Answer[bool]:
    return _is_new(patient, ciclosporin_uses, ciclosporin_episodes, calcineurin_shown)


@flag("tacrolimus met sirolimus in the last {calcineurin_shown} days, or would by a draft")
def calcineurin_new(
    patient: Patient,
    calcineurin_inhibitor_uses: Uses,
    calcineurin_inhibitor_episodes: Episodes,
    calcineurin_shown: Days,
) -> Answer[bool]:
    return _is_new(patient, calcineurin_inhibitor_uses, calcineurin_inhibitor_episodes, calcineurin_shown)


@names(
    "platelets, haemoglobin or creatinine that became worse from the result before, lately",
    none="no count, haemoglobin or creatinine became worse lately",
)
def worsened(
    platelets_samples: Samples,
    hemoglobin_samples: Samples,
    creatinine_samples: Samples,
    lab_recent: Days,
    patient: Patient,
) -> Answer[list[Named]]:
    """Results that would show microangiopathy."""
    every = (("platelets", platelets_samples), ("hemoglobin", hemoglobin_samples), ("creatinine", creatinine_samples))
    return listed_once(named for test, labs in every for named in _worse(test, labs, lab_recent, patient))


def _worse(test: str, labs: Sequence[Lab], days: int, patient: Patient) -> list[Named]:
    exact = [
        lab
        for lab in labs
        if lab.status != "preliminary" and lab.amount and not lab.amount.comparator and not lab.wrong_specimen
    ][:2]
    if len(exact) < 2 or exact[0].moment is None or exact[0].amount is None or exact[1].amount is None:
        return []
    change = exact[0].amount.value - exact[1].amount.value
    worse = change < 0 if exact[0].lower_is_worse else change > 0
    if not worse or exact[0].moment.days_until(patient.now) > days:
        return []
    references = (exact[0].reference, exact[1].reference)
    return [Named(f"{test} became worse", f"on {on_day(exact[0].moment)}", references)]


@flag("a drug that makes bleeding likelier, or the low count with it, is new")
def bleeding_risk_new(
    patient: Patient,
    bleeding_risk_drug_uses: Uses,
    bleeding_risk_drug_episodes: Episodes,
    counts: list[Count],
    bleeding_drug_shown: Days,
    bleeding_drug_count: Number,
) -> Answer[bool]:
    starts = [each.start for each in bleeding_risk_drug_episodes if each.active]
    crossed = _crossed(counts, bleeding_drug_count)
    moments = [*starts, *([crossed] if crossed is not None else [])]
    lately = any(each is None or each.days_until(patient.now) <= bleeding_drug_shown for each in moments)
    return lately or bool(drafted(patient, bleeding_risk_drug_uses))


def _crossed(counts: Sequence[Count], limit: Decimal) -> Moment | None:
    """When the current run of low counts began; None if the newest count is not low."""
    crossed = None
    for count in counts:
        if count.why_not and not count.confounded:
            continue
        if count.value >= limit:
            break
        crossed = count.moment
    return crossed


@flag("a sirolimus level is already on order")
def level_ordered(level_orders: TestOrders, trough_orders: TestOrders) -> Answer[bool]:
    orders = sorted({*level_orders, *trough_orders})
    return Known(bool(orders), orders)
