"""Everything that can be said about a rules folder: faults, cases, mutants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cds.authoring.cases import cases_of, check_both_ways, run_case
from cds.authoring.mutants import all_survivors
from cds.authoring.scenarios import run_check, scenarios_of
from cds.engine import Engine
from cds.knowledge.layers import Layers
from cds.knowledge.read import Folder, read_folder
from cds.knowledge.tree import Fault


@dataclass
class Report:
    """What ``check`` found."""

    rules: int = 0
    cases: int = 0
    mutants: int = 0
    days: int = 0  # of scenarios
    faults: list[Fault] = field(default_factory=list)


class Engines:
    """The engine of each protocol that a case or scenario names. ``default`` is the lowest folder's own."""

    def __init__(self, folder: Path, overlays: Sequence[Path] = ()) -> None:
        self.folder, self.overlays = folder, overlays
        self.default = read_folder(folder)
        self.folders: dict[str, Folder] = {}
        self._engines: dict[str, Engine] = {}

    def read(self, protocol: str = "") -> Folder:
        """The rules under that protocol, with what lies over them."""
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

    def of(self, protocol: str, fault: Callable[[str], Fault]) -> Engine:
        """The engine under that protocol. Raises ``fault`` where there is none, EngineFault where it fails."""
        read = self.read(protocol)
        if read.knowledge is None:
            raise fault(read.faults[0].message)
        name = read.knowledge.protocol.id
        if name not in self._engines:
            self._engines[name] = Engine(read.knowledge)
        return self._engines[name]


def check_folder(folder: Path, overlays: Sequence[Path] = ()) -> Report:
    """Read every rule under every protocol, run every case and scenario under its own, and try the mutants.

    Raises:
        EngineFault: the engine failed.
    """
    engines = Engines(folder, overlays)
    read = engines.read()
    report = Report(rules=len(read.files), faults=list(read.faults))
    if read.knowledge is None:
        return report
    for path in Layers(folder, overlays).files("protocols/*.yaml"):
        known = set(map(str, report.faults))
        report.faults += [fault for fault in engines.read(path.stem).faults if str(fault) not in known]
    if report.faults:
        return report
    for case in cases_of(read):
        report.cases += 1
        _note(report, lambda case=case: run_case(case, engines.of(case.shape.protocol, case.fault)))  # type: ignore[misc]
    report.faults += check_both_ways(read)
    for scenario in scenarios_of(folder, report.faults, overlays):
        for check in scenario.checks:
            report.days += 1
            _note(report, lambda c=check: run_check(c, engines.of(c.scenario.shape.protocol, c.fault)))  # type: ignore[misc]
    if not report.faults:  # a mutant says nothing while a case fails
        report.mutants, alive = all_survivors(read)
        report.faults += alive
    return report


def _note(report: Report, run: Callable[[], Fault | None]) -> None:
    try:
        fault = run()
    except Fault as unknown:
        fault = unknown
    if fault is not None:
        report.faults.append(fault)
