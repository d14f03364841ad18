"""The port to a provider's moderation."""

from typing import Protocol

from jiraiya_events.domain.request import Audience


class Moderation(Protocol):
    """Somebody else's judgement on a text, asked for over the network."""

    async def flagged(self, text: str, audience: Audience = Audience.CHILDREN) -> frozenset[str]:
        """Return the categories for which `text` must not reach this audience; none: it may.

        Nobody named means the strictest.

        Raises `CallFault`, and then nothing is known about the text.
        """
        ...
