"""A model port whose client is imported and made later: LangChain takes seconds to import."""

import asyncio
import importlib
from collections.abc import Callable
from typing import Protocol

from jiraiya_events.adapters.llm.options import Account, LlmOptions
from jiraiya_events.generation.faults import Fault
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.ports import ModelPort
from jiraiya_events.generation.prompt import Prompt


class _Loaded(ModelPort, Protocol):
    async def models_of(self, account: Account) -> frozenset[str] | Fault: ...
    async def aclose(self) -> None: ...


class DeferredModel:
    """The `ModelPort` of `ChatModel`; `load` must have returned before the first call."""

    def __init__(self, options: LlmOptions) -> None:
        options.key()  # a missing key is a wrong setting: say so before anything starts
        self._options = options
        self._model: _Loaded | None = None

    async def load(self) -> None:
        """Import LangChain in a thread, then make the client in this event loop."""
        module = await asyncio.to_thread(
            importlib.import_module, "jiraiya_events.adapters.llm.chat_model"
        )
        self._model = module.ChatModel(self._options)

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

    async def aclose(self) -> None:
        """Close the client's connections."""
        if self._model is not None:
            await self._model.aclose()

    def _loaded(self) -> _Loaded:
        if self._model is None:
            msg = "the model was called before it was loaded"
            raise RuntimeError(msg)
        return self._model
