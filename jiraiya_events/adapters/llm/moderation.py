"""The `Moderation` of OpenAI, or of an endpoint that has its `/moderations`, by its own client.

Importing this module imports that client, which takes a second: see `deferred`.
"""

import json
from typing import Any, Final

import httpx2
import openai

from jiraiya_events.adapters.llm.client import http_client, timeout
from jiraiya_events.adapters.llm.faults import fault_of
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.adapters.llm.provider_words import code_of
from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind

PATH: Final = "/moderations"
MODEL: Final = "omni-moderation-latest"

CHILDREN_LIMIT: Final = 0.2
CHILDREN_CATEGORIES: Final = frozenset(
    {
        "sexual",
        "sexual/minors",
        "self-harm",
        "self-harm/intent",
        "self-harm/instructions",
        "violence/graphic",
        "hate",
        "hate/threatening",
        "harassment/threatening",
        "illicit",
        "illicit/violent",
    }
)
"""For children a score of the limit in one of these is enough, whatever the provider decides.

Plain violence and harassment are left to the provider: dragons are slain, and trolls are rude.
"""


class ProviderModeration:
    """Asks the main endpoint with its key; create it inside the running event loop."""

    def __init__(self, options: LlmOptions, timeout_s: float = 10.0) -> None:
        self._http = http_client()
        self._client = openai.AsyncOpenAI(
            api_key=options.key().get_secret_value(),
            base_url=options.base_url,
            # Trying again is decided where the deadline and the breaker are known.
            max_retries=0,
            timeout=timeout(timeout_s),
            http_client=self._http,
        )

    async def flagged(self, text: str, audience: Audience = Audience.CHILDREN) -> frozenset[str]:
        """Make one call; raises `CallFault` when it brings no judgement."""
        try:
            response: httpx2.Response = await self._client.post(
                PATH,
                body={"model": MODEL, "input": text},
                cast_to=httpx2.Response,
                options={"security": {"bearer_auth": True}},
            )
            results = json.loads(response.content)["results"]
            return _flagged(results, strictly=audience is Audience.CHILDREN)
        except Exception as error:  # noqa: BLE001 - every fault of a provider has its kind
            # Without its cause: the client's errors carry the text in their frames.
            raise CallFault(_fault(error, text, self._client.api_key)) from None

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()


def _flagged(results: list[dict[str, Any]], *, strictly: bool) -> frozenset[str]:
    """Raise KeyError, TypeError or ValueError when this is no judgement."""
    verdicts = [result["flagged"] for result in results]
    if not verdicts or not all(isinstance(verdict, bool) for verdict in verdicts):
        msg = "no verdict"
        raise ValueError(msg)
    found: set[str] = set()
    for result in results:
        if result["flagged"]:
            found |= _named(result.get("categories")) or {"flagged"}
        if strictly:
            found |= _unfit_for_children(result)
    return frozenset(found)


def _named(categories: object) -> set[str]:
    """Return the categories the provider says yes to, as far as they are words fit for a log."""
    if not isinstance(categories, dict):
        return set()
    return {str(name) for name, yes in categories.items() if yes is True and code_of(name)}


def _unfit_for_children(result: dict[str, Any]) -> set[str]:
    scores = result.get("category_scores") or {}
    return {name for name in CHILDREN_CATEGORIES if scores.get(name, 0) >= CHILDREN_LIMIT}


def _fault(error: Exception, sent: str, key: str) -> Fault:
    if isinstance(error, LookupError | TypeError | ValueError | AttributeError):
        return Fault(FaultKind.BAD_BODY, detail=type(error).__name__)
    return fault_of(error, (sent,), key)
