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

    async def flagged(self, text: str, audience: Audience = Audience.CHILDREN) -> bool:
        """Make one call; raises `CallFault` when it brings no judgement."""
        try:
            response: httpx2.Response = await self._client.post(
                PATH,
                body={"model": MODEL, "input": text},
                cast_to=httpx2.Response,
                options={"security": {"bearer_auth": True}},
            )
            results = json.loads(response.content)["results"]
            return _is_flagged(results, strictly=audience is Audience.CHILDREN)
        except Exception as error:  # noqa: BLE001 - every fault of a provider has its kind
            # Without its cause: the client's errors carry the text in their frames.
            raise CallFault(_fault(error, text, self._client.api_key)) from None

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()


def _is_flagged(results: list[dict[str, Any]], *, strictly: bool) -> bool:
    """Raise KeyError, TypeError or ValueError when this is no judgement."""
    verdicts = [result["flagged"] for result in results]
    if not verdicts or not all(isinstance(verdict, bool) for verdict in verdicts):
        msg = "no verdict"
        raise ValueError(msg)
    return any(verdicts) or (strictly and any(map(_is_unfit_for_children, results)))


def _is_unfit_for_children(result: dict[str, Any]) -> bool:
    scores = result.get("category_scores") or {}
    return any(scores.get(category, 0) >= CHILDREN_LIMIT for category in CHILDREN_CATEGORIES)


def _fault(error: Exception, sent: str, key: str) -> Fault:
    if isinstance(error, LookupError | TypeError | ValueError | AttributeError):
        return Fault(FaultKind.BAD_BODY, detail=type(error).__name__)
    return fault_of(error, (sent,), key)
