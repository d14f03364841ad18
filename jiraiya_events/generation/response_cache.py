"""Answers used again for equal wishes: the port, and what makes two wishes equal."""

import hashlib
import json
from typing import Protocol

from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.prompt import AnswerForm, Prompt


class ResponseCache(Protocol):
    """Answers that passed the checks, by `cache_key`, each for a set time.

    All methods raise `StoreUnavailable`.
    """

    async def find(self, key: str) -> PaidAnswer | None:
        """Return the answer kept under a key, None when there is none or it has ended."""
        ...

    async def keep(self, key: str, user_id: str | None, answer: PaidAnswer) -> None:
        """Keep an answer and who paid for it; the latest replaces the one before."""
        ...

    async def forget(self, user_id: str) -> int:
        """Erase the answers a user paid for; return how many."""
        ...


def cache_key(prompt: Prompt, model: str) -> str:
    """Return the SHA-256, in hex, of all that an answer depends on.

    The canary is another one with each start of the service, and no part of the wish.
    """
    rules = {form: prompt.system_text(form).replace(prompt.canary, "") for form in AnswerForm}
    parts = json.dumps([model, prompt.version, prompt.user, rules], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()
