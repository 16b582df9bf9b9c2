"""Everything that can be said about a rules folder: faults, cases, mutants."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cds.authoring.cases import cases_of, check_both_ways, run_case
from cds.authoring.mutants import all_survivors
from cds.authoring.scenarios import run_check, scenarios_of
from cds.engine import Engine
from cds.knowledge.read import DEFAULT_PROTOCOL, read_folder
from cds.knowledge.tree import Fault


@dataclass
class Report:
    """What ``check`` found."""

    rules: int = 0
    cases: int = 0
    mutants: int = 0
    days: int = 0  # of scenarios
    faults: list[Fault] = field(default_factory=list)


def check_folder(folder: Path, protocol: str = DEFAULT_PROTOCOL) -> Report:
    """Read every rule, run every case through both engines and every scenario through the whole path, and try the mutants.

    Raises:
        EngineFault: the engine failed.
    """
    read = read_folder(folder, protocol)
    report = Report(rules=len(read.files), faults=list(read.faults))
    if read.knowledge is None:
        return report
    engine = Engine(read.knowledge)
    for case in cases_of(read):
        report.cases += 1
        fault = run_case(case, engine)
        if fault is not None:
            report.faults.append(fault)
    report.faults += check_both_ways(read)
    for scenario in scenarios_of(folder, report.faults):
        for check in scenario.checks:
            report.days += 1
            fault = run_check(check, engine)
            if fault is not None:
                report.faults.append(fault)
    if not report.faults:  # a mutant says nothing while a case fails
        report.mutants, alive = all_survivors(read)
        report.faults += alive
    return report
