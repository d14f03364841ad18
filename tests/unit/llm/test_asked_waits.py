"""For how long a provider asks to be left alone when it refuses a call."""

import httpx2
import openai
import pytest

from jiraiya_events.adapters.llm.faults import fault_of

_REQUEST = httpx2.Request("POST", "http://models.example/v1/chat/completions")
USED_UP = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}
NO_TOKENS = {
    "x-ratelimit-limit-tokens": "200",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "20s",
}
ROOM = {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "20s"}


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, USED_UP, 360.0),
        (429, NO_TOKENS, 0.1),
        (429, USED_UP | NO_TOKENS, 360.0),
        (429, USED_UP | {"retry-after": "2"}, 2.0),
        (429, USED_UP | {"retry-after": "0"}, 0.0),
        (429, ROOM, None),
        (429, {}, None),
        (503, USED_UP, None),
        (503, USED_UP | {"retry-after": "2"}, 2.0),
    ],
)
def test_a_refusal_without_a_word_may_name_the_wait_by_its_limits(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    """`Retry-After` counts where it is said, and limits only for what they are about."""
    response = httpx2.Response(status, request=_REQUEST, headers=headers)
    error = openai.APIStatusError("m", response=response, body=None)
    assert fault_of(error).retry_after_s == seconds
