"""The provider's clients, imported and made later: LangChain takes seconds to import."""

import asyncio
import importlib
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from jiraiya_events.adapters.llm.options import Account, LlmOptions
from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.faults import Fault
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.ports import ModelPort
from jiraiya_events.generation.prompt import Prompt
from jiraiya_events.generation.safety.moderation import Moderation

PACKAGE = "jiraiya_events.adapters.llm"


class _Client(Protocol):
    async def aclose(self) -> None: ...


class _Model(ModelPort, _Client, Protocol):
    async def models_of(self, account: Account) -> frozenset[str] | Fault: ...


class _Moderation(Moderation, _Client, Protocol): ...


C = TypeVar("C", bound=_Client)


class _Deferred(Generic[C]):
    """A client that is there once `load` has returned."""

    def __init__(self, options: LlmOptions, module: str, kind: str) -> None:
        options.key()  # a missing key is a wrong setting: say so before anything starts
        self._options = options
        self._module = module
        self._kind = kind
        self._client: C | None = None

    async def load(self) -> None:
        """Import its library in a thread, then make the client in this event loop."""
        module = await asyncio.to_thread(importlib.import_module, f"{PACKAGE}.{self._module}")
        self._client = getattr(module, self._kind)(self._options)

    async def aclose(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            await self._client.aclose()

    def _loaded(self) -> C:
        if self._client is None:
            msg = f"{self._kind} was called before it was loaded"
            raise RuntimeError(msg)
        return self._client


class DeferredModel(_Deferred[_Model]):
    """The `ModelPort` of `ChatModel`."""

    def __init__(self, options: LlmOptions) -> None:
        super().__init__(options, "chat_model", "ChatModel")

    async def complete(
        self,
        prompt: Prompt,
        *,
        model: str,
        max_output_tokens: int | None,
        timeout_s: float,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelAnswer:
        """Make one call."""
        return await self._loaded().complete(
            prompt,
            model=model,
            max_output_tokens=max_output_tokens,
            timeout_s=timeout_s,
            on_text=on_text,
        )

    async def models_of(self, account: Account) -> frozenset[str] | Fault:
        """Return the models an endpoint lists."""
        return await self._loaded().models_of(account)


class DeferredModeration(_Deferred[_Moderation]):
    """The `Moderation` of the main endpoint."""

    def __init__(self, options: LlmOptions) -> None:
        super().__init__(options, "moderation", "ProviderModeration")

    async def flagged(self, text: str, audience: Audience = Audience.CHILDREN) -> frozenset[str]:
        """Make one call."""
        return await self._loaded().flagged(text, audience)
