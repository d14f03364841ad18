"""A story, what it took to write it, and what that cost."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from jiraiya_events.domain.text import plain_text

Count = Annotated[int, Field(ge=0)]

PICO_PER_USD = 10**12


class Story(BaseModel):
    """A story that passed the output checks."""

    model_config = ConfigDict(frozen=True)

    title: Annotated[str, StringConstraints(min_length=1), plain_text]
    content: Annotated[str, StringConstraints(min_length=1), plain_text]
    language: str
    word_count: Count


class Usage(BaseModel):
    """Tokens of all model calls of one attempt."""

    model_config = ConfigDict(frozen=True)

    input_tokens: Count = Field(default=0, description="Cached tokens included.")
    cached_input_tokens: Count = 0
    output_tokens: Count = Field(default=0, description="Reasoning tokens included.")
    reasoning_tokens: Count = 0
    # For the price alone, and so in no event and in no store; a part of the input tokens.
    cache_write_tokens: Count = Field(default=0, exclude=True)

    def __add__(self, other: "Usage") -> "Usage":
        """Return the sum, kind by kind."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cached_input_tokens=self.cached_input_tokens + other.cached_input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
        )


class Cost(BaseModel):
    """Money as a decimal string with a point and no exponent."""

    model_config = ConfigDict(frozen=True)

    amount: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+$")]
    currency: Literal["USD"] = "USD"

    @classmethod
    def from_pico_usd(cls, pico: int) -> Self:
        """Return the cost of `pico` millionths of a millionth of a dollar, exactly."""
        whole, fraction = divmod(pico, PICO_PER_USD)
        digits = f"{fraction:012d}".rstrip("0") or "0"
        return cls(amount=f"{whole}.{digits}")

    def to_pico_usd(self) -> int:
        """Return the amount in pico-dollars."""
        return int(Decimal(self.amount) * PICO_PER_USD)


class Timings(BaseModel):
    """Milliseconds: waiting for a turn, writing, and both."""

    model_config = ConfigDict(frozen=True)

    queued_ms: Count
    generation_ms: Count
    total_ms: Count


class Safety(BaseModel):
    """Which checks the request and the story went through."""

    model_config = ConfigDict(frozen=True)

    input_checked: bool
    output_checked: bool
