"""docs/prefetch.md: what an EHR's analyst types in, and current."""

from __future__ import annotations

from click.testing import CliRunner

from cds.cli.main import main
from cds.engine import CheckedEngine
from cds.hooks.settings import Settings
from tests.conftest import ROOT
from tests.hooks.doors import client_of

PAGE = (ROOT / "docs" / "prefetch.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_service_asks_for(engine: CheckedEngine) -> None:
    assert CliRunner().invoke(main, ["prefetch"]).stdout == PAGE, "run 'make docs'"
    for service in client_of(engine).get("/cds-services").json()["services"]:
        for key, query in service["prefetch"].items():
            assert f"\n## {key}\n\n```\n{query}\n```" in PAGE


def test_every_setting_is_on_the_page_of_deployment() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"`{name}`" not in page] == []
