"""The `ModelPort` over langchain-openai's stock `ChatOpenAI`.

Importing this module takes seconds, as it imports LangChain: do it when the service starts,
never for `--help`.
"""

import warnings
from collections.abc import Callable
from typing import Any, Final

import langsmith
import openai
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from jiraiya_events.adapters.llm.answers import answer_of
from jiraiya_events.adapters.llm.client import (
    CONNECT_TIMEOUT_S,
    client_settings,
    http_client,
    timeout,
)
from jiraiya_events.adapters.llm.faults import causes, fault_of
from jiraiya_events.adapters.llm.lean_chat import LeanChatOpenAI
from jiraiya_events.adapters.llm.options import Account, FormChoice, LlmOptions, Route
from jiraiya_events.adapters.llm.streaming import read_stream
from jiraiya_events.generation.deltas import ContentDeltas
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import STORY_SCHEMA, AnswerForm, Prompt

OnText = Callable[[str], None]

_RESPONSE_FORMAT: Final[dict[str, Any]] = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "story", "strict": True, "schema": STORY_SCHEMA},
    }
}


class ChatModel:
    """Calls OpenAI-compatible endpoints; create it inside the running event loop.

    Every account has a client of its own, and so its own key; connections are shared.
    """

    def __init__(self, options: LlmOptions) -> None:
        langsmith.configure(enabled=False)
        # LangChain's advice on a refused schema is for programmers; ours is to ask for text.
        warnings.filterwarnings("ignore", module=r"langchain_openai\.chat_models")
        self._options = options
        self._routes = {route.name: route for route in options.routes}
        self._text_only: set[str] = set()
        self._http = http_client()
        self._chats = {
            account.name: LeanChatOpenAI(**client_settings(options, account, self._http))
            for account in options.accounts
        }

    async def complete(
        self,
        prompt: Prompt,
        *,
        model: str,
        max_output_tokens: int | None,
        timeout_s: float,
        on_text: OnText | None = None,
    ) -> ModelAnswer:
        """Make one call; once per model a second one, in text form, when JSON is not known."""
        route = self._routes.get(model) or self._options.route_of(model)
        form = self._form(route)
        try:
            return await self._call(prompt, form, route, max_output_tokens, timeout_s, on_text)
        except _NoStructuredOutput:
            self._text_only.add(model)
        form = AnswerForm.TEXT
        return await self._call(prompt, form, route, max_output_tokens, timeout_s, on_text)

    async def models_of(self, account: Account) -> frozenset[str] | Fault:
        """Return the models an endpoint lists, none when it keeps no list; costs nothing."""
        client = self._chats[account.name].root_async_client
        try:
            page = await client.models.list(timeout=CONNECT_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001 - a probe answers, it never raises
            fault = fault_of(error)
            # An endpoint without a list is there all the same.
            known = fault.kind is FaultKind.HTTP and fault.status not in {401, 403}
            return frozenset() if known else fault
        return frozenset(listed.id for listed in page.data)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    def _form(self, route: Route) -> AnswerForm:
        choice = self._options.answer_form
        if choice is FormChoice.TEXT or route.name in self._text_only:
            return AnswerForm.TEXT
        return AnswerForm.JSON

    async def _call(
        self,
        prompt: Prompt,
        form: AnswerForm,
        route: Route,
        max_output_tokens: int | None,
        timeout_s: float,
        on_text: OnText | None,
    ) -> ModelAnswer:
        arguments: dict[str, Any] = {"model": route.model, "timeout": timeout(timeout_s)}
        if max_output_tokens is not None:
            arguments["max_tokens"] = max_output_tokens
        if form is AnswerForm.JSON:
            arguments["extra_body"] = _RESPONSE_FORMAT
        system, user = (text for _, text in prompt.messages(form))
        messages: list[BaseMessage] = [SystemMessage(system), HumanMessage(user)]
        chat = self._chats[route.account.name]
        try:
            if on_text is None:
                return answer_of(await chat.ainvoke(messages, **arguments), route, form)
            chunks = chat.astream(messages, **arguments)
            pieces = await read_stream(chunks, ContentDeltas(form), on_text, timeout_s)
            return pieces.answer(route, form)
        except CallFault:
            raise
        except Exception as error:  # noqa: BLE001 - every fault of a provider has its kind
            if "extra_body" in arguments and self._may_ask_for_text(error):
                raise _NoStructuredOutput from None
            # Without its cause: the client's errors carry the whole request in their frames.
            raise CallFault(fault_of(error)) from None

    def _may_ask_for_text(self, error: Exception) -> bool:
        auto = self._options.answer_form is FormChoice.AUTO
        return auto and refuses_structured_output(error)


def refuses_structured_output(error: Exception) -> bool:
    """Tell whether the endpoint does not know, or not allow, our `response_format`."""
    for cause in causes(error):
        if isinstance(cause, openai.BadRequestError | openai.UnprocessableEntityError):
            return "response_format" in (cause.param or "") or "response_format" in cause.message
    return False


class _NoStructuredOutput(Exception):
    """The endpoint does not know `response_format`."""
