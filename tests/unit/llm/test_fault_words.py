"""What an operator reads of a provider's words."""

import httpx2
import openai
import pytest

from jiraiya_events.adapters.llm.faults import fault_of

_REQUEST = httpx2.Request("POST", "http://models.example/v1/chat/completions")


@pytest.mark.parametrize(
    "key", ["sk-abcdef", "sk-ant-api03-abc", "gsk_" + "a1B2" * 12, "AIza" + "x" * 35, "Bearer ab12"]
)
def test_a_key_that_a_provider_repeats_is_masked(key: str) -> None:
    """Providers differ in how they write a key, and some quote the wrong one."""
    body = {"message": f"Incorrect API key provided: {key}.", "code": "invalid_api_key"}
    response = httpx2.Response(401, request=_REQUEST)
    fault = fault_of(openai.AuthenticationError("m", response=response, body=body))
    assert key not in fault.detail
    assert fault.detail.startswith("401 Incorrect API")


def test_the_name_of_a_model_stays_readable() -> None:
    """It is what the operator has to mend."""
    body = {"message": "no model claude-sonnet-4-5-20250929 here"}
    response = httpx2.Response(404, request=_REQUEST)
    fault = fault_of(openai.NotFoundError("m", response=response, body=body))
    assert fault.detail == "404 no model claude-sonnet-4-5-20250929 here"
