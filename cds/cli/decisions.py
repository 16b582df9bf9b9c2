"""``sirolimus-cds decisions``: what was advised, by which rules and why."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from cds.advise import advise
from cds.cards.held_back import said
from cds.cards.text import clean
from cds.chart.body import InputError
from cds.cli.common import FAULT, Rules, make_engine, rules_options, stop
from cds.cli.kept import at, moment_of, reading, records_options, since_option, site_rules
from cds.cli.show import explained_text, wrapped
from cds.compiled.hooks import SERVED
from cds.engine import CheckedEngine, EngineFault
from cds.records.decision import Finding, Verdict, knowledge_of
from cds.records.find import OUTCOMES, Answer, Stored, Wanted, answers, by_name, wanted
from cds.records.replay import Served

_encode = msgspec.json.Encoder(decimal_format="number").encode
_MOST = 50


@click.group("decisions")
def command() -> None:
    """What the service advised, from its records."""


@command.command("list")
@click.option("--rule", default="", metavar="ID", help="Decisions in which this rule held.")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="What was said, or what became of a card.")
@click.option("--most", type=click.IntRange(1), default=_MOST, show_default=True, help="The newest so many.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@since_option
@records_options
def listed(records: str | None, config: str | None, since: str, rule: str, outcome: Any, most: int, form: str) -> None:
    """Print decisions, the newest first."""
    which = Wanted(since=moment_of(since), rule=rule, outcome=outcome or "", most=most)
    with reading(records, config) as connection:
        for each in wanted(connection, which):
            if form == "json":
                click.echo(_encode(as_json(each)))
            else:
                worst = each.verdict.cards[0] if each.verdict.cards else None
                said = f"{worst.indicator}: {clean(worst.summary)}" if worst is not None else each.outcome
                click.echo(f"{each.id}  {at(each.at)}  {each.hook:<16} {said}")


@command.command("show")
@click.argument("name", metavar="CARD|REQUEST")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@records_options
@rules_options
def show(rules: Rules, records: str | None, config: str | None, name: str, form: str) -> None:
    """Print what was advised, and why: of a card's uuid, a request's id (X-Request-Id), or a decision's own.

    Where the input was kept it is judged once more, by the rules that are named, those of the settings, or the shipped ones, and every fact and condition is
    printed; that these are other rules than those of the record is said.
    """
    with reading(records, config) as connection:
        found = by_name(connection, name)
        reports = {each.id: answers(connection, [card.uuid for card in each.verdict.cards]) for each in found}
    if not found:
        stop("the records hold no decision with such a card, request or id")
    if form == "json":
        click.echo(_encode([as_json(each) | {"feedback": reports[each.id]} for each in found]))
        return
    engine = make_engine(site_rules(rules, config)) if any(each.input or each.facts for each in found) else None
    click.echo("\n\n".join(_text(each, reports[each.id], engine) for each in found))


@command.command("input")
@click.argument("name", metavar="CARD|REQUEST")
@records_options
def kept_input(records: str | None, config: str | None, name: str) -> None:
    """Print the reduced request of a decision, for 'evaluate', 'explain' and 'report', or to be pasted into the workbench.

    The moment at which it was judged is said on standard error; it is what --at wants.
    """
    with reading(records, config) as connection:
        found = by_name(connection, name)
    if not found:
        stop("the records hold no decision with such a card, request or id")
    if len(found) > 1:
        stop(f"{len(found)} calls had that id; name the decision: {', '.join(each.id for each in found)}")
    request = found[-1].asked()
    if request is None:
        stop("of this decision the input was not kept")
    click.echo(f"sirolimus-cds: judged --at {found[-1].now}", err=True)
    click.echo(msgspec.json.format(request.body).decode())


def as_json(decision: Stored) -> dict[str, Any]:
    """A decision with its verdict, but without the packed facts and input."""
    fields = msgspec.structs.asdict(decision)
    kept = "input" if decision.input else "facts" if decision.facts else "verdict"
    bare = {name: value for name, value in fields.items() if name not in ("facts", "input")}
    return bare | {"at": at(decision.at), "kept": kept}


def _text(decision: Stored, reports: list[Answer], engine: CheckedEngine | None) -> str:
    lines = [
        click.style(f"Decision {decision.id}", bold=True),
        f"  {at(decision.at)}, {decision.hook}, request {decision.request}, {decision.ms:g} ms",
        f"  asked by {decision.issuer or 'somebody who was not asked who calls'}; judged as of {decision.now}",
        f"  protocol {decision.protocol}, knowledge {decision.knowledge[:12]}, program {decision.program}",
        *_said(decision, reports),
    ]
    return "\n".join([*lines, *(_why(decision, engine) if engine is not None else ())])


def _said(decision: Stored, reports: list[Answer]) -> list[str]:
    verdict = decision.verdict
    lines = [click.style("Shown", bold=True)]
    for card in verdict.cards:
        lines.append(wrapped(f"{card.indicator.upper()}  {clean(card.summary)}", "  ", "    "))
        lines.append(wrapped(f"{card.uuid}: {', '.join(card.rules)}", "    ", "      "))
        lines += [wrapped(_answered(each), "    ", "      ") for each in reports if each.card == card.uuid]
    lines += [] if verdict.cards else ["  no card"]
    for each in verdict.findings:
        if not each.is_told:
            lines.append(wrapped(f"{each.rule} held and was not told: {_not_told(each, verdict)}", "  ", "    "))
    lines += [
        wrapped(f"not offered: {fact.replace('_', ' ')}: {clean(why)}", "  ", "    ")
        for fact, why in verdict.withheld.items()
    ]
    lines += [wrapped(f"could not be judged: {clean(gap.reason)}", "  ", "    ") for gap in verdict.gaps]
    return lines


def _not_told(finding: Finding, verdict: Verdict) -> str:
    if finding.gives_way_to:
        return f"gives way to {', '.join(finding.gives_way_to)}"
    away = [f"{finding.place}, {said(each)}" for each in verdict.held_back if each.rule == finding.rule]
    return away[0] if away else finding.place


def _answered(each: Answer) -> str:
    words = " ".join(filter(None, (clean(each.reason), f'"{clean(each.comment)}"' if each.comment else "")))
    return f"{each.outcome}, {at(each.at)}" + (f": {words}" if words else "")


def _why(decision: Stored, engine: CheckedEngine) -> list[str]:
    """Facts and conditions from what was kept, printed as 'explain' does."""
    engine = Served(engine).as_for(decision)
    same = decision.knowledge == knowledge_of(engine.knowledge)
    head = "Why, by the rules of the record" if same else "Why, by OTHER rules than those of the record"
    try:
        request = decision.asked()
        if request is not None:
            advice = advise(request, engine, decision.moment, explain=True)
            return [click.style(head, bold=True), explained_text(advice.situation, advice.explained)]
        facts = decision.compared()
        if facts is None:
            return []
        verdict = engine.judge(facts)
    except InputError as error:
        return [f"The input that was kept is not taken any longer: {error}"]
    except EngineFault as fault:
        stop(f"the rule engine failed: {fault}", FAULT)
    lines = [click.style(head, bold=True)]
    for each in verdict.explain(SERVED[decision.hook].judged_as):
        lines.append(click.style(f"  {each.rule.id}: {'fires' if each.fires else 'silent'}", bold=each.fires))
        lines += [f"    [{'x' if holds else ' '}] {test.text}" for test, holds in each.conditions]
    return lines
