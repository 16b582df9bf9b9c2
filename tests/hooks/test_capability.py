"""docs/capability.md: current, and what the service says of itself."""

from __future__ import annotations

from click.testing import CliRunner

from cds.cli.main import main
from cds.engine import CheckedEngine
from cds.hooks.settings import LONGEST_WAIT, Settings
from tests.conftest import ROOT
from tests.hooks.doors import client_of

PAGE = (ROOT / "docs" / "capability.md").read_text(encoding="utf-8")
WAIT = f"{LONGEST_WAIT * 1000:g} ms"


def test_the_page_is_what_the_service_says_of_itself(engine: CheckedEngine) -> None:
    assert CliRunner().invoke(main, ["capability"]).stdout == PAGE, "run 'make docs'"
    services = client_of(engine).get("/cds-services").json()["services"]
    for each in services:
        assert f"| {each['hook']} | {each['hookVersion']} | `{each['id']}` |" in PAGE
        assert f"CDS Hooks {each['version']} " in PAGE
        for key, query in each["prefetch"].items():
            kind = query.partition("?")[0].partition("/")[0]
            assert f"| `{key}` | {kind} | `user/{kind}.read` | `user/{kind}.rs` |" in PAGE


def test_every_rule_is_on_it(engine: CheckedEngine) -> None:
    for rule in engine.knowledge.rules:
        assert f"| [{rule.id}](rules.md#{rule.id}) | `{rule.topic}` |" in PAGE


def test_its_limits_are_the_defaults() -> None:
    limits = Settings()
    for value in (
        limits.max_body,
        limits.max_in_flight,
        f"{limits.answer_seconds:g} s",
        f"{limits.body_seconds:g} s",
        WAIT,
    ):
        assert str(value) in PAGE
    assert WAIT in (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
