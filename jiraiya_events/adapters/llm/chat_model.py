"""The `ModelPort` over langchain-openai's stock `ChatOpenAI`.

Importing this module takes seconds, as it imports LangChain: do it when the service starts,
never for `--help`. Every setting of the client below was measured; none of them is decoration.
"""

from collections.abc import Mapping
from typing import Any, Final

import httpx2
import langsmith
import openai
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from jiraiya_events.adapters.llm.faults import fault_of
from jiraiya_events.adapters.llm.lean_chat import LeanChatOpenAI
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import STORY_SCHEMA, AnswerForm, Prompt

_RESPONSE_FORMAT: Final[dict[str, Any]] = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "story", "strict": True, "schema": STORY_SCHEMA},
    }
}
_CONNECT_TIMEOUT_S: Final = 10.0
_KEPT_HEADERS: Final = ("x-request-id",)
_RATE_LIMIT_PREFIX: Final = "x-ratelimit-"


class ChatModel:
    """Calls an OpenAI-compatible endpoint; create it inside the running event loop."""

    def __init__(self, options: LlmOptions) -> None:
        langsmith.configure(enabled=False)
        self._options = options
        self._text_only: set[str] = set()
        self._http = http_client()
        self._chat = LeanChatOpenAI(**client_settings(options, self._http))

    async def complete(
        self, prompt: Prompt, *, model: str, max_output_tokens: int | None, timeout_s: float
    ) -> ModelAnswer:
        """Make one call; once per model a second one, in text form, when JSON is not known."""
        if model in self._text_only:
            return await self._call(prompt, AnswerForm.TEXT, model, max_output_tokens, timeout_s)
        try:
            return await self._call(prompt, AnswerForm.JSON, model, max_output_tokens, timeout_s)
        except _NoStructuredOutput:
            self._text_only.add(model)
        return await self._call(prompt, AnswerForm.TEXT, model, max_output_tokens, timeout_s)

    async def probe(self) -> str:
        """Return `ok`, `unreachable`, `unauthorized`, `model missing` or `unclear`; costs nothing.

        Asks for the list of models, which endpoints that serve one model may not have.
        """
        try:
            page = await self._chat.root_async_client.models.list(timeout=_CONNECT_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001 - a probe answers, it never raises
            return _probe_answer(fault_of(error))
        names = {listed.id for listed in page.data}
        return "ok" if not names or self._options.model in names else "model missing"

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _call(
        self,
        prompt: Prompt,
        form: AnswerForm,
        model: str,
        max_output_tokens: int | None,
        timeout_s: float,
    ) -> ModelAnswer:
        arguments: dict[str, Any] = {"model": model, "timeout": _timeout(timeout_s)}
        if max_output_tokens is not None:
            arguments["max_tokens"] = max_output_tokens
        if form is AnswerForm.JSON:
            arguments["extra_body"] = _RESPONSE_FORMAT
        messages = [SystemMessage(prompt.system[form]), HumanMessage(prompt.user)]
        try:
            message = await self._chat.ainvoke(messages, **arguments)
        except Exception as error:  # noqa: BLE001 - every fault of a provider has its kind
            if form is AnswerForm.JSON and _refuses_structured_output(error):
                raise _NoStructuredOutput from None
            # Without its cause: the client's errors carry the whole request in their frames.
            raise CallFault(fault_of(error)) from None
        return self._answer(message, model, form)

    def _answer(self, message: AIMessage, model: str, form: AnswerForm) -> ModelAnswer:
        about = message.response_metadata
        refusal = message.additional_kwargs.get("refusal")
        return ModelAnswer(
            text=_encodable(message.text),
            finish_reason=about.get("finish_reason"),
            refusal=_encodable(str(refusal)) if refusal else None,
            usage=_usage(message),
            model=about.get("model_name") or model,
            provider=self._options.provider,
            form=form,
            headers=_kept(about.get("headers") or {}),
        )


def http_client() -> httpx2.AsyncClient:
    """Return the transport: aiohttp, which halves the CPU of a call, without a cap of its own.

    The concurrency gate is ours; None would leave aiohttp its own cap of 100.
    """
    limits = httpx2.Limits(max_connections=0, max_keepalive_connections=None)
    return openai.DefaultAioHttpClient(limits=limits)


def client_settings(options: LlmOptions, http: httpx2.AsyncClient) -> dict[str, Any]:
    """Return the keyword arguments of a `ChatOpenAI`, as they were measured."""
    return {
        "api_key": options.key(),
        "base_url": options.base_url,
        "model": options.model,
        "max_retries": 0,
        "timeout": openai.Timeout(options.timeout_s, connect=_CONNECT_TIMEOUT_S),
        "stream_chunk_timeout": 0,
        "stream_usage": True,
        "include_response_headers": True,
        "use_responses_api": False,
        "http_async_client": http,
    }


class _NoStructuredOutput(Exception):
    """The endpoint does not know `response_format`."""


def _timeout(seconds: float) -> openai.Timeout:
    return openai.Timeout(seconds, connect=min(seconds, _CONNECT_TIMEOUT_S))


def _refuses_structured_output(error: Exception) -> bool:
    if not isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
        return False
    return "response_format" in (error.param or "") or "response_format" in error.message


def _encodable(text: str) -> str:
    """Replace lone surrogates, which a JSON escape can smuggle in and UTF-8 cannot carry."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _usage(message: AIMessage) -> Usage | None:
    counted = message.usage_metadata
    if counted is None:
        return None
    inputs = counted.get("input_token_details") or {}
    outputs = counted.get("output_token_details") or {}
    return Usage(
        input_tokens=counted["input_tokens"],
        cached_input_tokens=inputs.get("cache_read") or 0,
        output_tokens=counted["output_tokens"],
        reasoning_tokens=outputs.get("reasoning") or 0,
    )


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name in _KEPT_HEADERS or name.startswith(_RATE_LIMIT_PREFIX)
    }


def _probe_answer(fault: Fault) -> str:
    if fault.kind is not FaultKind.HTTP:
        return "unreachable"
    if fault.status in {401, 403}:
        return "unauthorized"
    # An endpoint without a list of models is reachable; whether it has ours stays open.
    return "unclear"
