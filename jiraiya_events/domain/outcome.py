"""How a request ended: `story.generated` or `story.failed`, exactly one of them."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.story import Cost, Count, Safety, Story, Timings, Usage

Attempt = Annotated[int, Field(ge=1)]


class Source(StrEnum):
    """Where a published story came from."""

    MODEL = "model"
    FALLBACK = "fallback"
    RESULT_STORE = "result_store"
    RESPONSE_CACHE = "response_cache"


class StoryGenerated(BaseModel):
    """The payload of `story.generated`, version 1."""

    model_config = ConfigDict(frozen=True, title="StoryGenerated", protected_namespaces=())

    request_id: str
    user_id: str
    story: Story
    model: str = Field(description="The model that answered.")
    provider: str
    prompt_version: str
    usage: Usage
    cost: Cost | None = Field(description="Null when the price is unknown, never zero for that.")
    attempt: Attempt = Field(description="1 + replays.")
    tries: Count = Field(description="Model calls of this attempt; usage and cost are their sum.")
    source: Source
    timings: Timings
    safety: Safety
    metadata: dict[str, str] = Field(default_factory=dict)


class Failure(BaseModel):
    """What went wrong, in words a user may read."""

    model_config = ConfigDict(frozen=True)

    code: ErrorCode
    message: str
    retryable: bool
    stage: Stage
    retry_after_ms: Count | None = None


class StoryFailed(BaseModel):
    """The payload of `story.failed`, version 1."""

    model_config = ConfigDict(frozen=True, title="StoryFailed")

    request_id: str | None
    user_id: str | None
    error: Failure
    attempt: Attempt
    tries: Count
    billed: bool | None = Field(description="Null when it cannot be known.")
    usage: Usage
    cost: Cost | None
    dead_lettered: bool
    dlq_reference: str | None = Field(
        description="`topic/partition/offset` of the request; `jiraiya dlq show` takes it."
    )
    metadata: dict[str, str] = Field(default_factory=dict)


Outcome = StoryGenerated | StoryFailed
