"""The `ModelPort` over langchain-openai's stock `ChatOpenAI`.

Importing this module takes seconds, as it imports LangChain: do it when the service starts,
never for `--help`.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import langsmith

from jiraiya_events.adapters.llm.answers import answer_of
from jiraiya_events.adapters.llm.client import (
    CONNECT_TIMEOUT_S,
    client_settings,
    http_client,
    timeout,
)
from jiraiya_events.adapters.llm.dialects import Dialect
from jiraiya_events.adapters.llm.faults import fault_of
from jiraiya_events.adapters.llm.lean_chat import LeanChatOpenAI
from jiraiya_events.adapters.llm.options import Account, FormChoice, LlmOptions, Route
from jiraiya_events.adapters.llm.streaming import read_stream
from jiraiya_events.generation.deltas import ContentDeltas
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import AnswerForm, Prompt

OnText = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Call:
    prompt: Prompt
    route: Route
    max_output_tokens: int | None
    timeout_s: float
    on_text: OnText | None


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
        text = options.answer_form is FormChoice.TEXT
        self._first = Dialect(AnswerForm.TEXT if text else AnswerForm.JSON)
        self._dialects: dict[str, Dialect] = {}
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
        """Make one call, and another at once where the endpoint wants another dialect."""
        route = self._routes.get(model) or self._options.route_of(model)
        call = _Call(prompt, route, max_output_tokens, timeout_s, on_text)
        tried = [self._dialects.get(route.name, self._first)]
        while isinstance(said := await self._make(call, tried), Dialect):
            tried.append(said)
        if len(tried) > 1:
            # Learned from an answer only: a refusal may have had another reason.
            self._dialects[route.name] = tried[-1]
        return said

    async def models_of(self, account: Account) -> frozenset[str] | Fault:
        """Return the models an endpoint lists, none when it keeps no list; costs nothing."""
        client = self._chats[account.name].root_async_client
        try:
            page = await client.models.list(timeout=CONNECT_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001 - a probe answers, it never raises
            fault = fault_of(error, key=_key_of(account))
            # An endpoint without a list is there all the same.
            known = fault.kind is FaultKind.HTTP and fault.status not in {401, 403}
            return frozenset() if known else fault
        return frozenset(listed.id for listed in page.data)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _make(self, call: _Call, tried: list[Dialect]) -> ModelAnswer | Dialect:
        """Return the answer, or the dialect to try next, which was not tried before."""
        route, dialect = call.route, tried[-1]
        arguments = dialect.arguments(call.max_output_tokens)
        arguments |= {"model": route.model, "timeout": timeout(call.timeout_s)}
        messages = call.prompt.messages(dialect.form)
        chat = self._chats[route.account.name]
        key = _key_of(route.account)

        def fault(error: Exception, written: str = "") -> Fault:
            return fault_of(error, (*(message.text for message in messages), written), key)

        try:
            if call.on_text is None:
                return answer_of(await chat.ainvoke(messages, **arguments), route, dialect.form)
            chunks, deltas = chat.astream(messages, **arguments), ContentDeltas(dialect.form)
            pieces = await read_stream(chunks, deltas, call.on_text, call.timeout_s, fault)
            return pieces.answer(route, dialect.form)
        except CallFault:
            raise
        except Exception as error:  # noqa: BLE001 - every fault of a provider has its kind
            other = dialect.refused(error, self._options.answer_form)
            if other not in tried:
                return other
            # Without its cause: the client's errors carry the whole request in their frames.
            raise CallFault(fault(error)) from None


def _key_of(account: Account) -> str:
    return "" if account.api_key is None else account.api_key.get_secret_value()
