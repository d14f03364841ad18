"""Paid answers on their way into the store and the response cache, and back from the cache.

A request never fails because one of them cannot be reached.
"""

from functools import partial

from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.generation.backlog import Backlog
from jiraiya_events.generation.paid import ModelAnswer, PaidAnswer
from jiraiya_events.generation.ports import CallObserver
from jiraiya_events.generation.progress import NO_USAGE
from jiraiya_events.generation.response_cache import ResponseCache, cache_key
from jiraiya_events.generation.result_store import ResultStore
from jiraiya_events.generation.turn import Turn


class Archive:
    """Without `cache` nothing is shared between requests."""

    def __init__(
        self,
        store: ResultStore,
        cache: ResponseCache | None,
        observer: CallObserver,
        backlog: Backlog,
    ) -> None:
        self._store = store
        self._cache = cache
        self._observer = observer
        self._backlog = backlog

    async def keep(self, turn: Turn, answer: ModelAnswer) -> None:
        """Keep the answer before anything can reject it."""
        turn.progress.recovered = True
        request = turn.identity
        kept = (request, turn.fingerprint, turn.request.user_id, _paid(turn, answer))
        save = partial(self._store.save_answer, *kept)
        await self._backlog.save("save_answer", (request.source, request.id), save)

    async def share(self, turn: Turn, answer: ModelAnswer) -> None:
        """Let equal wishes have this answer, which passed our checks."""
        if self._cache is None:
            return
        shared = _paid(turn, answer).model_copy(
            update={"calls": 0, "usage": NO_USAGE, "cost_pico_usd": 0}
        )
        key = cache_key(turn.prompt, turn.model)
        try:
            await self._cache.keep(key, turn.request.user_id, shared)
        except StoreUnavailable as error:
            self._observer.store_failed("cache_keep", str(error))
        else:
            self._observer.store_answered("cache_keep")

    async def shared(self, turn: Turn) -> PaidAnswer | None:
        """Return the answer an equal wish got from the model this one asks first."""
        if self._cache is None:
            return None
        try:
            answer = await self._cache.find(cache_key(turn.prompt, turn.model))
        except StoreUnavailable as error:
            self._observer.cache_looked_up("error")
            self._observer.store_failed("cache", str(error))
            return None
        self._observer.store_answered("cache")
        self._observer.cache_looked_up("miss" if answer is None else "hit")
        return answer


def _paid(turn: Turn, answer: ModelAnswer) -> PaidAnswer:
    progress = turn.progress
    return PaidAnswer(
        text=answer.text,
        form=answer.form,
        finish_reason=answer.finish_reason,
        refusal=answer.refusal,
        model=answer.model,
        provider=answer.provider,
        prompt_version=turn.prompt.version,
        canary=turn.prompt.canary,
        attempt=turn.identity.attempt,
        calls=progress.calls,
        usage=progress.usage,
        cost_pico_usd=progress.cost_pico_usd,
    )
