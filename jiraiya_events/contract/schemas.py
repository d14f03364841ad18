"""JSON Schema 2020-12 of the five events, generated from the models; each stands alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.examples import EXAMPLES
from jiraiya_events.domain.outcome import StoryFailed, StoryGenerated
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.domain.signals import StoryCancelled, StoryProgress

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_MODELS: Final[Mapping[EventType, type[BaseModel]]] = {
    EventType.REQUESTED: StoryRequested,
    EventType.GENERATED: StoryGenerated,
    EventType.FAILED: StoryFailed,
    EventType.CANCELLED: StoryCancelled,
    EventType.PROGRESS: StoryProgress,
}
# What we read may leave defaults out; what we write always has every field.
_READ: Final = frozenset({EventType.REQUESTED, EventType.CANCELLED})


class _WireSchema(GenerateJsonSchema):
    """Pydantic's generator without the title it gives every field."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - Pydantic's signature
        return False

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,  # noqa: FBT001 - Pydantic's signature
    ) -> bool:
        return self.mode == "serialization" or super().field_is_required(field, total)


def event_schema(kind: EventType) -> Schema:
    """Return the schema document of one event."""
    mode: Literal["validation", "serialization"] = (
        "validation" if kind in _READ else "serialization"
    )
    model = _MODELS[kind].model_json_schema(schema_generator=_WireSchema, mode=mode)
    definitions = model.pop("$defs", None)
    document = {
        "$schema": DIALECT,
        "$id": kind.schema_id,
        "title": model.pop("title"),
        "description": model.pop("description"),
        **model,
        "examples": [EXAMPLES[kind]],
    }
    if definitions is not None:
        document["$defs"] = definitions
    return document


def schema_texts() -> dict[str, str]:
    """Return the text of every schema by its file name."""
    return {
        kind.schema_file: json.dumps(event_schema(kind), indent=2, ensure_ascii=False) + "\n"
        for kind in _MODELS
    }


def write_schemas(folder: Path) -> None:
    """Write every schema into `folder`; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")


def check_schemas(folder: Path) -> list[str]:
    """Return a line for each schema in `folder` that is missing, stale or not ours; [] if none."""
    texts = schema_texts()
    lines = []
    for name, text in texts.items():
        path = folder / name
        if not path.is_file():
            lines.append(f"{path}: missing; write it with `jiraiya schemas`")
        elif path.read_text(encoding="utf-8") != text:
            lines.append(f"{path}: differs from the models; write it with `jiraiya schemas`")
    strangers = sorted({path.name for path in folder.glob("*.json")} - texts.keys())
    return lines + [f"{folder / name}: no event has this schema; remove it" for name in strangers]
