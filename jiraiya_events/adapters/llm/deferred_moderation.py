"""A moderation whose client is imported and made later: that takes a second."""

import asyncio
import importlib
from typing import Protocol

from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.safety.moderation import Moderation


class _Loaded(Moderation, Protocol):
    async def aclose(self) -> None: ...


class DeferredModeration:
    """The `Moderation` of the main endpoint; `load` must have returned before the first call."""

    def __init__(self, options: LlmOptions) -> None:
        options.key()  # a missing key is a wrong setting: say so before anything starts
        self._options = options
        self._moderation: _Loaded | None = None

    async def load(self) -> None:
        """Import the client in a thread, then make it in this event loop."""
        module = await asyncio.to_thread(
            importlib.import_module, "jiraiya_events.adapters.llm.moderation"
        )
        self._moderation = module.ProviderModeration(self._options)

    async def flagged(self, text: str, audience: Audience = Audience.CHILDREN) -> bool:
        """Make one call."""
        if self._moderation is None:
            msg = "the moderation was called before it was loaded"
            raise RuntimeError(msg)
        return await self._moderation.flagged(text, audience)

    async def aclose(self) -> None:
        """Close the client's connections."""
        if self._moderation is not None:
            await self._moderation.aclose()
