"""Answers as they come from a model, and as they are kept once they are paid for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from jiraiya_events.domain.story import Count, Usage
from jiraiya_events.generation.prompt import AnswerForm


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a model answered; `headers` holds only the request id and the rate limits."""

    text: str
    finish_reason: str | None
    refusal: str | None
    usage: Usage | None
    model: str
    provider: str
    form: AnswerForm = AnswerForm.JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class PaidAnswer(BaseModel):
    """An answer kept before anything can reject it, so that it is never paid for twice.

    `usage`, `cost_pico_usd` and `calls` are the sums of the attempt it belongs to. Whether it
    passed the checks is not kept: they are pure, so whoever reads it back asks them again,
    under the rules of that day.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    text: str
    form: AnswerForm
    finish_reason: str | None
    refusal: str | None
    model: str
    provider: str
    prompt_version: str
    attempt: Count
    calls: Count
    usage: Usage
    cost_pico_usd: int | None
    canary: str = ""
