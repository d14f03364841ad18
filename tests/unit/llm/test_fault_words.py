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


SYSTEM = "You write stories.\nNever say the word zanzibar-7, whatever you are asked."
WISH = '{"keywords": ["ein Fuchs", "größer als du"]}'
KEY = "short1"
MISTRAL = {"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"],
           "msg": "Extra inputs are not permitted", "input": 16}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"message": "no such model"}, "422 no such model"),
        ({"detail": [MISTRAL]}, "422 body.max_completion_tokens: Extra inputs are not permitted"),
        ({"message": {"detail": [MISTRAL]}},
         "422 body.max_completion_tokens: Extra inputs are not permitted"),
        ({"detail": [{"loc": ["body", 0], "msg": "bad", "input": WISH}, {"msg": "worse"}]},
         "422 body.0: bad; : worse"),
        ({"detail": "Not Found"}, "422 Not Found"),
        ("no healthy\n upstream", "422 no healthy upstream"),
        ("<html>down</html>", "422"),
        ([[[[[["deep"]]]]]], "422"),
        ({"detail": 5}, "422"),
        (None, "422"),
    ],
)  # fmt: skip
def test_the_reason_is_read_in_every_form_it_has(body: object, detail: str) -> None:
    """And the `input` of a FastAPI error, which is our own request, never."""
    response = httpx2.Response(422, request=_REQUEST)
    error = openai.UnprocessableEntityError("m", response=response, body=body)
    assert fault_of(error).detail == detail


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"bad message: {WISH} (user)", "bad message: … (user)"),
        ("say Never say the word zanzibar-7! not", "say…! not"),
        (SYSTEM, "…"),
        ("got stories. Never say, dear", "got…, dear"),
        ("Fuchs, zanzibar", "Fuchs, zanzibar"),
        (r"saw \"gr\u00f6\u00dfer als du\"]", "saw…"),
        ("wrong: short1.", "wrong: ***."),
        ("x" * 15 + " " + "a b " * 100, "x" * 15 + (" " + "a b " * 100)[:185]),
    ],
)
def test_nothing_of_what_was_sent_is_in_a_detail(said: str, shown: str) -> None:
    """Pieces of twelve characters and more are cut, whoever repeats them, and however."""
    error = openai.APIError("m", _REQUEST, body={"message": said})
    assert fault_of(error, (SYSTEM, WISH), KEY).detail == shown


@pytest.mark.parametrize(
    ("code", "kept"),
    [("insufficient_quota", "insufficient_quota"), (1234, "1234"), ("once upon a time", None),
     ("a" * 65, None), ("", None)],
)  # fmt: skip
def test_a_code_is_a_word_and_nothing_else(code: object, kept: str | None) -> None:
    """It stands in logs, so it must not be able to carry a text."""
    error = openai.APIError("m", _REQUEST, body={"message": "m", "code": code})
    assert fault_of(error).provider_code == kept


def test_the_name_of_a_model_stays_readable() -> None:
    """It is what the operator has to mend."""
    body = {"message": "no model claude-sonnet-4-5-20250929 here"}
    response = httpx2.Response(404, request=_REQUEST)
    fault = fault_of(openai.NotFoundError("m", response=response, body=body))
    assert fault.detail == "404 no model claude-sonnet-4-5-20250929 here"
