"""`story.requested`: what a user wishes, validated."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from jiraiya_events.domain.text import plain_text

_PRIVATE = r"[Xx](-[A-Za-z0-9]{1,8})+"
_LANGTAG = (
    r"[A-Za-z]{2,8}(-[A-Za-z]{3}){0,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?"
    r"(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(-[0-9A-WY-Za-wy-z](-[A-Za-z0-9]{2,8})+)*"
    rf"(-{_PRIVATE})?"
)
_IRREGULAR = (
    "en-gb-oed", "i-ami", "i-bnn", "i-default", "i-enochian", "i-hak", "i-klingon", "i-lux",
    "i-mingo", "i-navajo", "i-pwn", "i-tao", "i-tay", "i-tsu", "sgn-be-fr", "sgn-be-nl",
    "sgn-ch-de",
)  # fmt: skip


def _in_any_case(tag: str) -> str:
    """Return a pattern for `tag`; JSON Schema's patterns know no flags."""
    return "".join(f"[{one.upper()}{one}]" if one.isalpha() else one for one in tag)


# BCP 47's well-formed tags (RFC 5646, section 2.1): the grandfathered ones that are regular are
# of the form of the others.
LANGUAGE_TAG = rf"^({'|'.join([_LANGTAG, _PRIVATE, *map(_in_any_case, _IRREGULAR)])})$"


class Audience(StrEnum):
    """Who the story is for; decides tone, themes and the output checks."""

    CHILDREN = "children"
    TEENS = "teens"
    ADULTS = "adults"


class Length(StrEnum):
    """How long the story should be; `words` is the aim."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"

    @property
    def words(self) -> int:
        """The number of words asked for; 0.4 to 2 times as many are accepted."""
        return {Length.SHORT: 200, Length.MEDIUM: 500, Length.LONG: 1000}[self]


def _text(limit: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=limit)


Name = Annotated[str, _text(64), plain_text]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128), plain_text]
# Ids travel in headers, logs and commands, where a control character does harm.
RequestId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[^\u0000-\u001f\u007f-\u009f]+$"),
    plain_text,
]
_ShortText = Annotated[str, StringConstraints(max_length=256), plain_text]
Metadata = Annotated[dict[_ShortText, _ShortText], Field(max_length=16)]


def _whole(value: object) -> object:
    """Return 5000 for 5000.0, which JSON and JSON Schema hold to be the same number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class StoryRequested(BaseModel):
    """The payload of `story.requested`, version 1. Unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", title="StoryRequested")

    user_id: Identifier = Field(description="The user the story is for.")
    keywords: list[Name] = Field(
        min_length=1, max_length=20, description="What the story is about."
    )
    request_id: RequestId | None = Field(
        default=None, description="Optional when `ce_id` is there; equal to it when both are."
    )
    genre: Name | None = Field(default=None, description="Such as `fairy tale`.")
    tone: Name | None = Field(default=None, description="Such as `cheerful`.")
    audience: Audience = Field(default=Audience.CHILDREN, description="Who the story is for.")
    language: Annotated[str, StringConstraints(max_length=64, pattern=LANGUAGE_TAG)] = Field(
        default="en", description="A BCP 47 language tag."
    )
    length: Length = Field(
        default=Length.SHORT, description="About 200, 500 or 1,000 words; 0.4 to 2 times fit."
    )
    title: Annotated[str, _text(120), plain_text] | None = Field(
        default=None, description="A hint for the title."
    )
    characters: list[Name] = Field(
        default_factory=list, max_length=8, description="Who appears in the story."
    )
    instructions: Annotated[str, _text(500), plain_text] | None = Field(
        default=None, description="Further wishes of the user."
    )
    model: Name | None = Field(default=None, description="A model on the service's allow-list.")
    timeout_ms: Annotated[int | None, BeforeValidator(_whole)] = Field(
        default=None,
        ge=1_000,
        le=600_000,
        strict=True,
        description="Milliseconds from the record's timestamp to the deadline.",
    )
    stream: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Publish `story.progress` while the story is written."
    )
    metadata: Metadata = Field(default_factory=dict, description="Echoed in the outcome.")
    correlation_id: Identifier | None = Field(
        default=None, description="Used when no header carries one."
    )
