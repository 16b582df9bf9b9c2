"""Everything that can be said about a rules folder: faults, cases, scenarios, mutants, and numbers that nothing pins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cds.authoring.cases import cases_of, check_both_ways, run_case
from cds.authoring.coverage import Tried, facts_of, tried
from cds.authoring.near import near_faults
from cds.authoring.pins import Bench, Pin, pins_of
from cds.authoring.proofs import all_properties, counterexample
from cds.authoring.proofs.found import Property
from cds.authoring.proofs.regions import Space, never, together
from cds.authoring.scenarios import Check, difference, scenarios_of
from cds.authoring.sensitivity import survivors
from cds.cards.build import NAMESPACE
from cds.engine import CheckedEngine
from cds.knowledge.files import Folder
from cds.knowledge.layers import Layers
from cds.knowledge.read import read_folder
from cds.knowledge.tree import Fault
from cds.vocabulary import INNER, VOCABULARY

T = TypeVar("T")


class Watch(Protocol):
    """Shows the progress of a long loop."""

    def __call__(self, label: str, items: Sequence[T]) -> Iterable[T]: ...


def unwatched(label: str, items: Sequence[T]) -> Iterable[T]:
    """Show no progress."""
    return items


@dataclass
class Report:
    """What ``check`` found. The rules are sound if ``faults`` is empty."""

    rules: int = 0
    cases: int = 0
    mutants: int = 0
    days: int = 0  # of scenarios
    by_rule: list[Tried] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    together: list[tuple[str, str]] = field(default_factory=list)  # rules that always speak together
    unused_facts: list[str] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    read: list[Folder] = field(default_factory=list)  # under each protocol, the default one first

    def as_json(self) -> dict[str, Any]:
        """The report for a program: counts, then rule by rule, number by number, and the faults."""
        return {
            "sound": not self.faults,
            "rules": self.rules,
            "cases": self.cases,
            "scenarioDays": self.days,
            "mutants": {"made": self.mutants, "killed": sum(each.killed for each in self.by_rule)},
            "byRule": [each.as_json() for each in self.by_rule],
            "numbers": [
                {
                    "name": pin.number.name,
                    "protocol": pin.protocol,
                    "value": float(pin.number.value),
                    "unit": pin.number.unit,
                    "noticedAbove": pin.more,
                    "noticedBelow": pin.less,
                }
                for pin in self.pins
            ],
            "alwaysTogether": [list(pair) for pair in self.together],
            "factsNeverUsed": self.unused_facts,
            "properties": [each.as_json() for each in self.properties],
            "faults": [{"file": f.path, "line": f.line, "message": f.message} for f in self.faults],
        }


class Engines:
    """The engine for each protocol that a case or scenario names. ``default``: the rules of the lowest folder, without overlays."""

    def __init__(self, folder: Path, overlays: Sequence[Path] = ()) -> None:
        self.folder, self.overlays = folder, overlays
        self.default = read_folder(folder)
        self.folders: dict[str, Folder] = {}
        self._engines: dict[str, CheckedEngine] = {}

    def read(self, protocol: str = "") -> Folder:
        """The rules under that protocol, with the overlays."""
        if not protocol and self.default.knowledge is not None:
            protocol = self.default.knowledge.protocol.id
        if protocol not in self.folders and not self.overlays and self._is_default(protocol):
            self.folders[protocol] = self.default
        elif protocol not in self.folders:
            self.folders[protocol] = read_folder(self.folder, protocol, self.overlays)
        return self.folders[protocol]

    def _is_default(self, protocol: str) -> bool:
        known = self.default.knowledge
        return known is None or known.protocol.id == protocol

    def of(self, protocol: str, fault: Callable[[str], Fault]) -> CheckedEngine:
        """The engine under that protocol. Raises ``fault`` where there is none, EngineFault where it fails."""
        read = self.read(protocol)
        if read.knowledge is None:
            raise fault(read.faults[0].message)
        name = read.knowledge.protocol.id
        if name not in self._engines:
            self._engines[name] = CheckedEngine(read.knowledge)
        return self._engines[name]

    def protocols(self) -> list[str]:
        """The names of all protocols there are."""
        return [path.stem for path in Layers(self.folder, self.overlays).files("protocols/*.yaml")]

    def every(self) -> list[Folder]:
        """The rules under each protocol there is, the default one first."""
        first = self.read()
        known = first.knowledge.protocol.id if first.knowledge is not None else ""
        return [first, *(self.read(name) for name in self.protocols() if name != known)]


def check_folder(folder: Path, overlays: Sequence[Path] = (), watch: Watch = unwatched) -> Report:
    """Read every rule under every protocol, run every case and scenario under its own, and move every number.

    Raises:
        EngineFault: the engine failed.
    """
    engines = Engines(folder, overlays)
    read = engines.read()
    report = Report(rules=len(read.files), faults=list(read.faults))
    if read.knowledge is None:
        return report
    report.read = engines.every()
    for other in report.read:
        known = set(map(str, report.faults))
        report.faults += [fault for fault in other.faults if str(fault) not in known]
    if report.faults:
        return report
    _prove(engines, report)
    for case in watch("cases", list(cases_of(read))):
        report.cases += 1
        _note(report, lambda case=case: run_case(case, engines.of(case.shape.protocol, case.fault)))  # type: ignore[misc]
    report.faults += check_both_ways(read)
    report.faults += near_faults(read)
    space = Space(read.knowledge)
    for file in read.files:
        lines = file.document
        report.faults += [Fault(lines.path, lines.line("when"), said) for said in never(file, read.names, space)]
    spoken, benches = _days(engines, report, scenarios_of(folder, report.faults, overlays), watch)
    report.unused_facts = sorted(VOCABULARY.keys() - facts_of(read.knowledge) - INNER)
    report.together = list(together(read.knowledge))
    if report.faults:  # mutants tell nothing while a case fails
        return report
    for file in watch("mutants", read.files):
        made, alive = survivors(file, read.knowledge)
        report.mutants += made
        report.faults += alive
        report.by_rule.append(tried(file, read.knowledge, made, [each.message for each in alive], spoken))
    for bench, number in watch("numbers", list(pins_of(benches))):
        report.pins.append(bench.pin(number))
        report.faults += report.pins[-1].faults
    return report


def _prove(engines: Engines, report: Report) -> None:
    """Prove what the rules can never do, under every protocol; each counterexample is a fault with a scenario."""
    read = engines.every()
    report.properties = all_properties([each.knowledge for each in read if each.knowledge is not None])
    places = {file.rule.id: file.document for file in read[0].files}
    for one in report.properties:
        for found in one.counterexamples:
            document = places.get(found.rule)
            path, line = (document.path, document.line("card")) if document is not None else (str(engines.folder), 1)
            report.faults.append(Fault(path, line, f"{one.id}: {found}\n{counterexample.shown(found)}"))


def _days(
    engines: Engines, report: Report, scenarios: Iterable[Any], watch: Watch
) -> tuple[dict[str, int], list[Bench]]:
    """Judge every day of every scenario. Returns on how many days each rule spoke, and a bench for each protocol with its days."""
    spoken: dict[str, int] = {}
    benches = [Bench(read, not number) for number, read in enumerate(engines.every())]
    by_protocol = {bench.knowledge.protocol.id: bench for bench in benches} | {"": benches[0]}
    checks = [check for scenario in scenarios for check in scenario.checks]
    for check in watch("scenarios", checks):
        report.days += 1

        def run(check: Check = check) -> Fault | None:
            engine = engines.of(check.scenario.shape.protocol, check.fault)
            cards = by_protocol[check.scenario.shape.protocol].take(check, engine).cards
            for rule in {found["rule"] for card in cards for found in card["extension"][f"{NAMESPACE}.findings"]}:
                spoken[rule] = spoken.get(rule, 0) + 1
            return difference(check, cards)

        _note(report, run)
    for scenario in {check.scenario.document.path: check.scenario for check in checks}.values():
        known = {*benches[0].read.names.numbers, *by_protocol[scenario.shape.protocol].read.names.numbers}
        for name in scenario.shape.about:
            if name not in known:
                line = scenario.document.line("about")
                report.faults.append(Fault(scenario.document.path, line, f"about: there is no number '{name}'"))
    return spoken, benches


def _note(report: Report, run: Callable[[], Fault | None]) -> None:
    try:
        fault = run()
    except Fault as unknown:
        fault = unknown
    if fault is not None:
        report.faults.append(fault)
