"""Does the provider's moderation answer, where it is switched on?"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from jiraiya_events.generation.faults import CallFault
from jiraiya_events.generation.safety.moderation import Moderation
from jiraiya_events.ops.findings import Finding, failed, ok, skipped

MODERATION: Final = "moderation"

_HARMLESS: Final = "A lantern, a boat and a song."

OpenModeration = Callable[[], AbstractAsyncContextManager[Moderation]]


async def check_moderation(open_moderation: OpenModeration | None) -> list[Finding]:
    """Ask about one harmless sentence; None where moderation is off."""
    if open_moderation is None:
        return [skipped(MODERATION, "off (JIRAIYA_SAFETY__MODERATION)")]
    try:
        async with open_moderation() as moderation:
            await moderation.flagged(_HARMLESS)
    except CallFault as error:
        fault = error.fault
        why = fault.detail or fault.kind.value
        mend = (
            "check that JIRAIYA_LLM__BASE_URL has /moderations and takes JIRAIYA_LLM__API_KEY, or "
            "set JIRAIYA_SAFETY__MODERATION=off; until then every request ends provider_unavailable"
        )
        return [failed(MODERATION, f"does not answer: {why}", mend)]
    return [ok(MODERATION, "answers; it looks at every request and every story")]
