"""Which counts of tokens are believed."""

from typing import Any

import genai_prices
import pytest
from langchain_core.messages import AIMessage
from langchain_openai.chat_models.base import _create_usage_metadata

from jiraiya_events.adapters.llm.answers import answer_of
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.adapters.llm.prices import Prices
from jiraiya_events.domain.story import PICO_PER_USD, Usage
from jiraiya_events.generation.prompt import AnswerForm

(ROUTE,) = LlmOptions(None, "m").routes


def usage(text: str = "Once", *, cached: Any = None, reasoned: Any = None, **tokens: Any) -> Any:
    """Return what is made of the tokens LangChain brings."""
    message = AIMessage(text)
    counted: Any = {
        "input_tokens": 11,
        "output_tokens": 7,
        "total_tokens": 0,
        "input_token_details": {"cache_read": cached},
        "output_token_details": {"reasoning": reasoned},
        **tokens,
    }
    message.usage_metadata = counted
    return answer_of(message, ROUTE, AnswerForm.JSON).usage


def test_plausible_tokens_are_believed() -> None:
    counted = Usage(input_tokens=11, cached_input_tokens=5, output_tokens=7, reasoning_tokens=3)
    assert usage(cached=5, reasoned=3) == counted
    assert usage(cached=5, reasoned=3, total_tokens=18) == counted
    assert usage("", output_tokens=0) == Usage(input_tokens=11)


def test_more_cached_tokens_than_there_were_are_all_of_them() -> None:
    """They would make a price below zero."""
    assert usage(cached=12) == Usage(input_tokens=11, cached_input_tokens=11, output_tokens=7)


XAI = "https://api.x.ai/v1"
OPENAI = "https://api.openai.com/v1"
COUNTED = [
    # Reasoning that stands in the total only.
    ("x-ai", XAI, "grok-4.20", (300, 400, 2700), {"cached_tokens": 0}, 2000),
    ("openai", OPENAI, "gpt-5.6-luna", (2000, 400, 2400), {"cache_write_tokens": 1900}, 0),
    (
        "openai",
        OPENAI,
        "gpt-5.6-luna",
        (2000, 400, 2400),
        {"cached_tokens": 500, "cache_write_tokens": 1000},
        100,
    ),
    ("openai", OPENAI, "gpt-4o-mini", (2000, 400, 2400), {"cached_tokens": 1900}, 0),
]


@pytest.mark.parametrize("tier", [None, "default", "priority", "flex"])
@pytest.mark.parametrize(("provider", "url", "model", "counts", "cached", "reasoned"), COUNTED)
def test_a_call_costs_what_the_public_list_says(
    provider: str,
    url: str,
    model: str,
    counts: tuple[int, int, int],
    cached: dict[str, int],
    reasoned: int,
    tier: str | None,
) -> None:
    """Judged by genai-prices itself, which reads the endpoint's own words; within the bound."""
    read, wrote, total = counts
    said = {
        "prompt_tokens": read,
        "completion_tokens": wrote,
        "total_tokens": total,
        "prompt_tokens_details": cached,
        "completion_tokens_details": {"reasoning_tokens": reasoned},
    }
    message = AIMessage("Once", usage_metadata=_create_usage_metadata(said, tier))
    seen = answer_of(message, ROUTE, AnswerForm.JSON).usage
    assert seen is not None
    judged = genai_prices.extract_usage(
        {"model": model, "usage": said}, provider_id=provider, api_flavor="chat"
    )
    prices = Prices(base_url=url)
    cost = prices.cost_pico_usd(model, seen)
    assert cost is not None
    assert cost == judged.calc_price().total_price * PICO_PER_USD
    most = prices.upper_bound_pico_usd(model, read, total - read)
    assert most is not None
    assert cost <= most
    assert seen.reasoning_tokens == reasoned


def test_what_a_price_needs_beside_an_event_is_in_none() -> None:
    """Tokens written to a cache cost more, and are input tokens like others to everybody else."""
    counted = Usage(input_tokens=2, cache_write_tokens=1)
    assert "cache_write_tokens" not in counted.model_dump()
    assert (counted + counted).cache_write_tokens == 2


@pytest.mark.parametrize(
    "said",
    [
        {"input_tokens": 0},
        {"output_tokens": 0},
        {"input_tokens": -1},
        {"output_tokens": -7},
        {"cached": -1},
        {"reasoned": -1},
        {"input_tokens": 10**9 + 1},
        {"output_tokens": 10**12},
        {"total_tokens": 10**12},
        {"total_tokens": -1},
        {"total_tokens": "18"},
        {"input_tokens": "11"},
        {"output_tokens": 7.5},
        {"cached": float("nan")},
    ],
)
def test_what_cannot_be_true_is_no_usage(said: dict[str, Any]) -> None:
    """Its cost is not known then, and a budget keeps what was reserved for the call."""
    assert usage(**said) is None
