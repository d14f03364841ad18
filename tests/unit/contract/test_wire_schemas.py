"""The published schemas: they stand alone, say what the code does, and do not drift."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from jiraiya_events.contract.asyncapi import (
    asyncapi_text,
    build_asyncapi,
    check_asyncapi,
    write_asyncapi,
)
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.examples import EXAMPLES
from jiraiya_events.contract.schemas import check_schemas, event_schema, write_schemas
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.request import StoryRequested
from tests.unit.contract.wire import Json

ROOT = Path(__file__).parents[3]
WISH = {"user_id": "u", "keywords": ["k"]}


def validator(schema: Json) -> Draft202012Validator:
    """Return a validator that checks formats as well."""
    return Draft202012Validator(schema, format_checker=FormatChecker())


@pytest.mark.parametrize("kind", EventType)
def test_every_schema_is_valid_and_stands_alone(kind: EventType) -> None:
    """JSON Schema 2020-12, an absolute $id, references only into itself."""
    schema = event_schema(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://schemas.kuybi.com/jiraiya/{kind.schema_file}"
    assert schema["title"]
    assert schema["description"]
    text = json.dumps(schema)
    assert text.count('"$ref"') == text.count('"$ref": "#/$defs/')
    assert 'additionalProperties": false' not in text


@pytest.mark.parametrize("kind", EventType)
def test_every_example_validates(kind: EventType) -> None:
    """Also with fields that a later minor version may add."""
    schema = validator(event_schema(kind))
    schema.validate(EXAMPLES[kind])
    schema.validate({**EXAMPLES[kind], "added_later": 1})


@pytest.mark.parametrize("kind", [EventType.GENERATED, EventType.FAILED, EventType.PROGRESS])
def test_outputs_promise_every_field(kind: EventType) -> None:
    """What we write is there, null or not, at every level."""
    schema = event_schema(kind)
    for part in (schema, *schema.get("$defs", {}).values()):
        assert set(part.get("required", ())) == set(part.get("properties", ()))


@pytest.mark.parametrize(
    "change",
    [
        {}, {"keywords": []}, {"keywords": ["k"] * 21}, {"keywords": ["k" * 65]}, {"keywords": "k"},
        {"user_id": ""}, {"user_id": None}, {"user_id": "u" * 129}, {"request_id": "r\nr"},
        {"request_id": None}, {"genre": None}, {"genre": "g" * 65}, {"audience": "elders"},
        {"language": "pt-BR"}, {"language": "zh-Hant-TW"}, {"language": "x"}, {"language": None},
        {"language": "en_US"}, {"language": "x-klingon"}, {"language": "x-klingon9x"},
        {"language": "X-a-B2"}, {"language": "i-Klingon"}, {"language": "i-klingo"},
        {"language": "en-GB-oed"}, {"language": "sgn-BE-FR"}, {"language": "en-X-mine"},
        {"language": "x-"}, {"length": "long"}, {"length": 5}, {"title": "t" * 121},
        {"characters": ["c"] * 9}, {"instructions": "i" * 501}, {"timeout_ms": 1000},
        {"timeout_ms": 999}, {"timeout_ms": 600001}, {"timeout_ms": 5000.0}, {"timeout_ms": 5000.5},
        {"timeout_ms": True}, {"timeout_ms": "5000"}, {"timeout_ms": None}, {"stream": 1},
        {"stream": True}, {"stream": "true"}, {"metadata": {"a": "b"}}, {"metadata": {"a": 1}},
        {"metadata": {"a" * 257: "b"}}, {"metadata": {str(n): "" for n in range(17)}},
        {"metadata": None}, {"correlation_id": ""}, {"unknown": {"a": 1}},
    ],
)  # fmt: skip
def test_schema_and_model_agree(change: Json) -> None:
    """What the schema accepts the service accepts, and the other way round."""
    wish = {**WISH, **change}
    try:
        StoryRequested.model_validate(wish)
        accepted = True
    except ValidationError:
        accepted = False
    assert validator(event_schema(EventType.REQUESTED)).is_valid(wish) is accepted


def test_drift_of_the_schemas_is_seen(tmp_path: Path) -> None:
    """Missing, changed and foreign files get a line each; none when all is well."""
    assert len(check_schemas(tmp_path)) == 5
    write_schemas(tmp_path / "new")
    folder = tmp_path / "new"
    assert check_schemas(folder) == []
    (folder / "story.failed.v1.json").write_text("{}")
    (folder / "story.old.v1.json").write_text("{}")
    lines = check_schemas(folder)
    assert ["differs" in lines[0], "remove it" in lines[1]] == [True, True]


def test_drift_of_the_asyncapi_document_is_seen(tmp_path: Path) -> None:
    """Missing and changed files get a line; other topics are a change."""
    path = tmp_path / "asyncapi.yaml"
    assert "missing" in check_asyncapi(path)[0]
    write_asyncapi(path)
    assert check_asyncapi(path) == []
    assert "differs" in check_asyncapi(path, build_asyncapi(Topics(requested="other")))[0]


def test_the_published_files_are_those_of_the_code() -> None:
    """`schemas/` and `asyncapi.yaml` in the repository are up to date."""
    assert check_schemas(ROOT / "schemas") == []
    assert check_asyncapi(ROOT / "asyncapi.yaml") == []


def test_the_asyncapi_document_survives_its_yaml() -> None:
    """Block style without anchors, and every text still a text."""
    document = build_asyncapi(Topics())
    text = asyncapi_text(document)
    assert yaml.safe_load(text) == document
    assert "&id" not in text
    assert "{" not in text.split("components:")[0]


def test_the_asyncapi_document_has_the_topics_that_are_set() -> None:
    """Addresses and bindings are the configured names; marks are internal."""
    names = Topics("r", "g", "f", "d", "m", "c", "p")
    channels = build_asyncapi(names)["channels"].values()
    assert [channel["address"] for channel in channels] == ["r", "g", "f", "c", "p", "d"]
    assert all(channel["bindings"]["kafka"]["topic"] == channel["address"] for channel in channels)


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    """No dangling $ref, no $defs left behind."""
    document = build_asyncapi(Topics())

    def references(node: Json) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (part for key, part in node.items() if key == "$ref")
            node = list(node.values())
        for part in node if isinstance(node, list) else ():
            yield from references(part)

    for reference in set(references(document)):
        target: Json = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
    assert "$defs" not in json.dumps(document)


def test_asyncapi_examples_satisfy_their_header_schemas() -> None:
    """The headers shown are headers that the schema asks for."""
    for message in build_asyncapi(Topics())["components"]["messages"].values():
        for example in message.get("examples", ()):
            validator(message["headers"]).validate(example["headers"])
