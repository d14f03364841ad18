"""From what LangChain brings back, whole or in pieces, to a neutral answer."""

from collections.abc import Mapping
from typing import Any, Final

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata

from jiraiya_events.adapters.llm.options import Route
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import AnswerForm

_KEPT_HEADERS: Final = ("x-request-id",)
_RATE_LIMIT_PREFIX: Final = "x-ratelimit-"
_MOST_TOKENS: Final = 10**9
_TIERS: Final = ("", "priority_", "flex_")


def answer_of(message: AIMessage, route: Route, form: AnswerForm) -> ModelAnswer:
    """Return the answer in a whole message."""
    refusal = message.additional_kwargs.get("refusal")
    return _answer(
        text=message.text,
        refusal=refusal or None,
        usage=message.usage_metadata,
        about=message.response_metadata,
        route=route,
        form=form,
    )


class Pieces:
    """A streamed answer as far as it has come; of what is said twice the last word counts.

    LangChain drops a refusal that is streamed: it leaves no text and an end.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._about: dict[str, Any] = {}
        self._usage: UsageMetadata | None = None

    @property
    def begun(self) -> bool:
        """Whether anything has come."""
        return bool(self._texts)

    @property
    def text(self) -> str:
        """Return what has come so far."""
        return "".join(self._texts)

    @property
    def ended(self) -> bool:
        """Whether the stream said that it was finished; one that was cut says nothing."""
        return "finish_reason" in self._about or self._usage is not None

    def add(self, chunk: AIMessageChunk) -> str:
        """Take the next piece; return its text."""
        text = chunk.text
        self._texts.append(text)
        if chunk.response_metadata:
            self._about.update(chunk.response_metadata)
        self._usage = chunk.usage_metadata or self._usage
        return text

    def answer(self, route: Route, form: AnswerForm) -> ModelAnswer:
        """Return the answer, once it has ended."""
        return _answer(
            text=self.text,
            refusal=None,
            usage=self._usage,
            about=self._about,
            route=route,
            form=form,
        )


def _answer(
    *,
    text: str,
    refusal: object,
    usage: UsageMetadata | None,
    about: Mapping[str, Any],
    route: Route,
    form: AnswerForm,
) -> ModelAnswer:
    return ModelAnswer(
        text=_encodable(text),
        finish_reason=_text_of(about.get("finish_reason")),
        refusal=_text_of(refusal),
        usage=_usage(usage, written=bool(text or refusal)),
        model=_text_of(about.get("model_name")) or route.model,
        provider=route.account.provider,
        form=form,
        headers=_kept(about.get("headers") or {}),
    )


def _text_of(said: object) -> str | None:
    """Return what an endpoint said as text that can be stored, whatever JSON it was."""
    return None if said is None else _encodable(str(said))


def _encodable(text: str) -> str:
    """Replace lone surrogates, which a JSON escape can smuggle in and UTF-8 cannot carry."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _usage(counted: UsageMetadata | None, *, written: bool) -> Usage | None:
    """Return the tokens, None when they cannot be true: nothing would be free of charge then.

    LangChain counts what an endpoint leaves out as 0, and every call has an input.
    """
    if counted is None:
        return None
    read, wrote = counted["input_tokens"], counted["output_tokens"]
    total = counted.get("total_tokens") or 0
    cached = _detail(counted.get("input_token_details"), "cache_read")
    kept = _detail(counted.get("input_token_details"), "cache_creation")
    reasoned = _detail(counted.get("output_token_details"), "reasoning")
    if not all(map(_is_count, (read, wrote, total, cached, kept, reasoned))):
        return None
    # Some endpoints leave reasoning out of the output and count it in the total alone.
    wrote = max(wrote, total - read)
    if not read or (written and not wrote):
        return None
    return Usage(
        input_tokens=read,
        cached_input_tokens=min(cached, read),
        output_tokens=wrote,
        reasoning_tokens=reasoned,
        cache_write_tokens=min(kept, read - min(cached, read)),
    )


def _detail(counted: Mapping[str, Any] | None, name: str) -> Any:  # noqa: ANN401 - as it was said
    """Return a count LangChain names after the service tier, where an answer names one."""
    said = counted or {}
    return next((said[tier + name] for tier in _TIERS if said.get(tier + name)), 0)


def _is_count(tokens: object) -> bool:
    return isinstance(tokens, int) and 0 <= tokens <= _MOST_TOKENS


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name in _KEPT_HEADERS or name.startswith(_RATE_LIMIT_PREFIX)
    }
