"""Every story of fhir_examples/, through both doors, against the cards written by hand."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds.chart.request import newest_date, read_request
from cds.cli.main import main
from cds.engine import CheckedEngine
from tests.charts import request
from tests.examples.stories import STORIES
from tests.examples.story import Story, expected
from tests.examples.write import FOLDER, files
from tests.hooks.doors import client_of

by_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)


def shown(cards: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [
        {"topic": c["source"]["topic"]["code"], "indicator": c["indicator"], "summary": c["summary"]} for c in cards
    ]


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_ids(part) for key, part in value.items() if key != "uuid"}
    return [without_ids(part) for part in value] if isinstance(value, list) else value


def cards_by_command(story: Story) -> list[dict[str, Any]]:
    path = FOLDER / story.name / story.file
    result = CliRunner().invoke(main, ["evaluate", "--at", "latest", "--format", "json", str(path)])
    assert result.exit_code == 0, result.output
    cards: list[dict[str, Any]] = json.loads(result.output)["cards"]
    return cards


def cards_by_http(story: Story, engine: CheckedEngine) -> list[dict[str, Any]]:
    question = read_request(story.body)
    moment = newest_date(question)
    assert isinstance(moment, datetime)
    body = story.content
    if "hook" not in body:
        body = request("patient-view", [entry["resource"] for entry in body["entry"]])
    client = client_of(engine, on=moment)
    answer = client.post(f"/cds-services/sirolimus-itp-{body['hook']}", json=body)
    assert answer.status_code == 200, answer.text
    cards: list[dict[str, Any]] = answer.json()["cards"]
    return cards


@by_story
def test_the_story_gets_its_cards_from_the_command_line(story: Story) -> None:
    assert shown(cards_by_command(story)) == expected(story)


@by_story
def test_the_service_gives_the_same_cards(story: Story, engine: CheckedEngine) -> None:
    assert without_ids(cards_by_http(story, engine)) == without_ids(cards_by_command(story))


@by_story
def test_the_story_is_valid_fhir(story: Story) -> None:
    if story.file == "bundle.json":
        Bundle.model_validate(story.content)
        return
    for value in story.content["prefetch"].values():
        if value["resourceType"] == "Bundle":
            Bundle.model_validate(value)
    Bundle.model_validate(story.content["context"]["draftOrders"])


@by_story
def test_what_a_suggestion_would_write_is_valid_fhir(story: Story) -> None:
    kinds = {"MedicationRequest": MedicationRequest, "ServiceRequest": ServiceRequest}
    for card in cards_by_command(story):
        for action in (action for each in card.get("suggestions", []) for action in each["actions"]):
            if action["type"] == "delete":
                drafts = [entry["resource"] for entry in story.content["context"]["draftOrders"]["entry"]]
                assert action["resourceId"] in {f"{each['resourceType']}/{each['id']}" for each in drafts}
                continue
            kinds[action["resource"]["resourceType"]].model_validate(action["resource"])


def test_the_folder_is_what_the_stories_say() -> None:
    written = files()
    found = {p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("*") if p.is_file()} - {"README.md"}
    assert found == set(written)
    for name, text in written.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name}: run 'make examples'"


def test_there_are_children_and_adults_and_enough_of_them() -> None:
    assert len(STORIES) >= 14
