"""Whatever an endpoint answers can be stored and published: it is paid for."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from jiraiya_events.adapters.llm.answers import Pieces, answer_of
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.paid import ModelAnswer, PaidAnswer
from jiraiya_events.generation.prompt import AnswerForm

(ROUTE,) = LlmOptions(None, "m").routes


def kept(answer: ModelAnswer) -> PaidAnswer:
    """Return the answer as it is read back from a store."""
    paid = PaidAnswer(
        text=answer.text,
        form=answer.form,
        finish_reason=answer.finish_reason,
        refusal=answer.refusal,
        model=answer.model,
        provider=answer.provider,
        prompt_version="story.v1",
        attempt=1,
        calls=1,
        usage=Usage(),
        cost_pico_usd=None,
    )
    return PaidAnswer.model_validate_json(paid.model_dump_json())


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("some-model", "some-model"),
        ("m\ud800", "m?"),
        (["m"], "['m']"),
        ({"a": "\udfff"}, "{'a': '\\udfff'}"),
        (7, "7"),
    ],
)
def test_no_name_and_no_reason_stops_a_paid_answer(said: Any, read: str) -> None:
    """A lone surrogate cannot be written as UTF-8, and what is no text not read back as one."""
    about = {"model_name": said, "finish_reason": said}
    message = AIMessage("Once \ud800", response_metadata=about)
    pieces = Pieces()
    pieces.add(AIMessageChunk(content="Once \ud800", response_metadata=about))
    for answer in (
        answer_of(message, ROUTE, AnswerForm.TEXT),
        pieces.answer(ROUTE, AnswerForm.TEXT),
    ):
        stored = kept(answer)
        assert (stored.model, stored.finish_reason, stored.text) == (read, read, "Once ?")


def test_an_answer_without_a_name_has_the_name_of_the_model_that_was_asked() -> None:
    for name in (None, ""):
        message = AIMessage("Once", response_metadata={"model_name": name, "finish_reason": None})
        answer = answer_of(message, ROUTE, AnswerForm.TEXT)
        assert (answer.model, answer.finish_reason) == ("m", None)


def test_a_refusal_that_is_no_text_is_still_a_refusal() -> None:
    message = AIMessage("", additional_kwargs={"refusal": ["no \ud800"]})
    assert kept(answer_of(message, ROUTE, AnswerForm.TEXT)).refusal == "['no \\ud800']"
