"""Which counts of tokens are believed."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from jiraiya_events.adapters.llm.answers import answer_of
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.prompt import AnswerForm

(ROUTE,) = LlmOptions(None, "m").routes


def usage(text: str = "Once", *, cached: Any = None, reasoned: Any = None, **tokens: Any) -> Any:
    """Return what is made of the tokens LangChain brings."""
    message = AIMessage(text)
    counted: Any = {
        "input_tokens": 11,
        "output_tokens": 7,
        "total_tokens": 18,
        "input_token_details": {"cache_read": cached},
        "output_token_details": {"reasoning": reasoned},
        **tokens,
    }
    message.usage_metadata = counted
    return answer_of(message, ROUTE, AnswerForm.JSON).usage


def test_plausible_tokens_are_believed() -> None:
    counted = Usage(input_tokens=11, cached_input_tokens=5, output_tokens=7, reasoning_tokens=3)
    assert usage(cached=5, reasoned=3) == counted
    assert usage("", output_tokens=0) == Usage(input_tokens=11)


def test_more_cached_tokens_than_there_were_are_all_of_them() -> None:
    """They would make a price below zero."""
    assert usage(cached=12) == Usage(input_tokens=11, cached_input_tokens=11, output_tokens=7)


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
        {"input_tokens": "11"},
        {"output_tokens": 7.5},
        {"cached": float("nan")},
    ],
)
def test_what_cannot_be_true_is_no_usage(said: dict[str, Any]) -> None:
    """Its cost is not known then, and a budget keeps what was reserved for the call."""
    assert usage(**said) is None
