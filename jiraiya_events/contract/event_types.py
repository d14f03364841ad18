"""The event types, and where the schema of each one stands."""

from enum import StrEnum
from typing import Final

SPEC_VERSION: Final = "1.0"
"""The one `specversion` of CloudEvents 1.0 and its patch releases."""

SOURCE: Final = "/jiraiya"
"""The `ce_source` of everything this service publishes."""

SCHEMA_HOME: Final = "https://schemas.kuybi.com/jiraiya/"
"""Where the `$id` of every schema begins: a name; nothing is ever fetched from it."""

_NAMESPACE: Final = "com.kuybi."


class EventType(StrEnum):
    """`ce_type`: what an event is, its major version included."""

    REQUESTED = "com.kuybi.story.requested.v1"
    GENERATED = "com.kuybi.story.generated.v1"
    FAILED = "com.kuybi.story.failed.v1"
    CANCELLED = "com.kuybi.story.cancelled.v1"
    PROGRESS = "com.kuybi.story.progress.v1"

    @property
    def schema_file(self) -> str:
        """The name of its JSON Schema, such as `story.failed.v1.json`."""
        return f"{self.value.removeprefix(_NAMESPACE)}.json"

    @property
    def schema_id(self) -> str:
        """The absolute `$id` of its JSON Schema, which is also its `ce_dataschema`."""
        return SCHEMA_HOME + self.schema_file
