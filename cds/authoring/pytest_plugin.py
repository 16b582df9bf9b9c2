"""``pytest --sirolimus-rules FOLDER``: every case and scenario day of a rules folder as a test of its own.

For the continuous integration of a site that keeps rules of its own. Nothing of the package is imported unless the option
is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cds.authoring.check import Engines
    from cds.knowledge.tree import Fault


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two options."""
    group = parser.getgroup("sirolimus-cds", "rules of sirolimus-cds")
    group.addoption("--sirolimus-rules", metavar="FOLDER", help="Run every case and scenario of this rules folder.")
    group.addoption(
        "--sirolimus-overlay",
        action="append",
        default=[],
        metavar="FOLDER",
        help="A folder that lies over the rules; may be repeated. Without --sirolimus-rules over the shipped ones.",
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the rules' own tests to those that were found."""
    folder, overlays = config.getoption("--sirolimus-rules"), config.getoption("--sirolimus-overlay")
    if folder is None and not overlays:
        return
    from cds.knowledge.load import shipped_rules

    given = [Path(folder).resolve() if folder else shipped_rules(), *(Path(each).resolve() for each in overlays)]
    for each in given:
        if not each.is_dir():
            raise pytest.UsageError(f"{each.name} is not a folder of rules")
    items += _items(session, given[0], given[1:])


def _items(session: pytest.Session, folder: Path, overlays: list[Path]) -> Iterable[pytest.Item]:
    from cds.authoring.cases import cases_of, check_both_ways, run_case
    from cds.authoring.check import Engines
    from cds.authoring.scenarios import run_check, scenarios_of

    engines = Engines(folder, overlays)
    read = engines.read()
    faults = [*read.faults]
    scenarios = scenarios_of(folder, faults, overlays) if read.knowledge is not None else []
    if read.knowledge is not None and not faults:
        faults += check_both_ways(read)
    node = Rules.from_parent(session, path=folder)
    yield Said.from_parent(node, name="sound", run=lambda: faults)
    if faults:
        return

    def judged(run: Callable[[Any, Any], Fault | None], one: Any, protocol: str) -> Callable[[], list[Fault]]:
        return lambda: _of(engines, run, one, protocol)

    for case in cases_of(read):
        yield Said.from_parent(node, name=case.name, run=judged(run_case, case, case.shape.protocol))
    for scenario in scenarios:
        for check in scenario.checks:
            yield Said.from_parent(node, name=check.name, run=judged(run_check, check, scenario.shape.protocol))


def _of(engines: Engines, run: Callable[[Any, Any], Fault | None], one: Any, protocol: str) -> list[Fault]:
    from cds.knowledge.tree import Fault

    try:
        fault = run(one, engines.of(protocol, one.fault))
    except Fault as unknown:
        fault = unknown
    return [fault] if fault is not None else []


class NotAsExpected(Exception):
    """A case or a day of a scenario got another card; ``str`` says what was expected and what came."""


class Rules(pytest.File):
    """A rules folder."""

    def collect(self) -> Iterable[pytest.Item]:
        """Return nothing: ``_items`` makes all items at once."""
        return ()


class Said(pytest.Item):
    """A case, a day of a scenario, or the soundness of the folder."""

    def __init__(self, *, run: Callable[[], list[Fault]], **more: Any) -> None:
        super().__init__(**more)
        self.run = run

    def runtest(self) -> None:
        """Judge it. Raises NotAsExpected."""
        if faults := self.run():
            raise NotAsExpected("\n".join(map(str, faults)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Only the difference: a traceback does not help the author of a rule."""
        if isinstance(excinfo.value, NotAsExpected):
            return str(excinfo.value).replace(": expected ", ":\n  expected ", 1).replace(", got ", "\n  got      ", 1)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The location shown in a report; without the text before the name, pytest would write 4::9 for 4.9."""
        return self.path, None, f"rules: {self.name}"
