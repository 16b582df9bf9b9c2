"""Our messages in the models of a client that was not written here: what we and our own models get wrong alike shows there."""

from __future__ import annotations

import importlib.util
from importlib.metadata import PackageNotFoundError, distribution
from types import ModuleType
from typing import Any

import pytest
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from tests.charts import day, drug, level, sirolimus
from tests.examples.stories import STORIES
from tests.examples.story import Story
from tests.examples.test_examples import cards_by_http
from tests.judge import judge_order


def model(name: str) -> ModuleType:
    """A module of HealthChain's models, read by itself: the package would import what is not installed."""
    try:
        path = distribution("healthchain").locate_file(f"healthchain/models/responses/{name}.py")
    except PackageNotFoundError:
        pytest.skip("the models of HealthChain are not installed; `make` brings them")
    spec = importlib.util.spec_from_file_location(f"healthchain_{name}", str(path))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(cards: list[dict[str, Any]]) -> list[Any]:
    read_as: list[Any] = model("cdsresponse").CDSResponse.model_validate({"cards": cards}).cards
    return read_as


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_every_example_is_read_whole(story: Story, engine: CheckedEngine) -> None:
    cards = cards_by_http(story, engine)
    for ours, theirs in zip(cards, read(cards), strict=True):
        assert (theirs.summary, theirs.indicator.value, theirs.detail) == (
            ours["summary"],
            ours["indicator"],
            ours["detail"],
        )
        labels = [each["label"] for each in ours.get("suggestions", [])]
        assert [each.label for each in theirs.suggestions or []] == labels


def test_the_draft_to_delete_is_one_reference(engine: CheckedEngine) -> None:
    draft = drug("x", "clarithromycin", day(25), status="draft")
    cards = judge_order(engine, 25, [draft], sirolimus("s", day(0), 2), level("l", day(19), 8)).cards
    actions = [action for card in read(cards) for each in card.suggestions or [] for action in each.actions]
    assert [each.resourceId for each in actions if each.type.value == "delete"] == ["MedicationRequest/x"]


def test_discovery_is_read_whole(client: TestClient) -> None:
    document = client.get("/cds-services").json()
    services = model("cdsdiscovery").CDSServiceInformation.model_validate(document).services
    assert [each.id for each in services] == [each["id"] for each in document["services"]]
