"""The optional events around a request: its cancellation and its progress."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from jiraiya_events.domain.request import RequestId
from jiraiya_events.domain.story import Count


class StoryCancelled(BaseModel):
    """The payload of `story.cancelled`, version 1. Matched on source and id."""

    model_config = ConfigDict(frozen=True, extra="ignore", title="StoryCancelled")

    request_id: RequestId = Field(
        description="The request's id; its source is this event's, `/unknown` for plain JSON."
    )
    reason: Annotated[str, StringConstraints(max_length=256)] | None = Field(
        default=None, description="Repeated in the failure's message when it is plain words."
    )


class StoryProgress(BaseModel):
    """The payload of `story.progress`, version 1. Best effort, outside transactions."""

    model_config = ConfigDict(frozen=True, title="StoryProgress")

    request_id: str
    sequence: Count = Field(
        description="From 0, without gaps as far as it is delivered; 0 again: written anew."
    )
    delta: str
    final: bool
