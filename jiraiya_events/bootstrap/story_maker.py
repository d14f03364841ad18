"""What generation is made of: models and their order, breakers, gate, money, checks, stores."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jiraiya_events.adapters.limits.opening import open_spending, open_user_limits
from jiraiya_events.adapters.llm.candidates import candidates
from jiraiya_events.adapters.llm.deferred import DeferredModel, DeferredModeration
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.adapters.llm.prices import Prices
from jiraiya_events.adapters.store.open_store import Stores, open_stores
from jiraiya_events.bootstrap.options import (
    breaker_policy,
    daily_budgets,
    llm_options,
    model_prices,
    retry_policy,
)
from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.request import Length, StoryRequested
from jiraiya_events.generation.backlog import Backlog
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.budgets import Budgets, require_prices, too_small
from jiraiya_events.generation.candidates import Chains
from jiraiya_events.generation.gate import AdaptiveGate
from jiraiya_events.generation.generator import Generator, GeneratorOptions
from jiraiya_events.generation.ports import CallObserver, ModelPort
from jiraiya_events.generation.prompt_book import TOKENS_PER_WORD, PromptBook
from jiraiya_events.generation.safety.age_bands import age_bands
from jiraiya_events.generation.safety.beginning import Beginning
from jiraiya_events.generation.safety.patterns import load_patterns
from jiraiya_events.generation.spending import UserLimits
from jiraiya_events.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMaker:
    """The generator, and those of its parts that others start, watch or close."""

    warnings: tuple[str, ...]
    """What is allowed and probably not meant."""
    generator: Generator
    llm: LlmOptions
    model: DeferredModel
    moderation: DeferredModeration | None
    book: PromptBook
    stores: Stores
    backlog: Backlog
    user_limits: UserLimits | None
    breakers: Breakers
    chains: Chains
    gate: AdaptiveGate

    async def load(self) -> None:
        """Import the client libraries and make the clients, in the running event loop.

        With it whatever else the first request would have to wait for: prompts and patterns.
        """
        # One after the other: threads that import the same packages wait for each other.
        await self.model.load()
        if self.moderation is not None:
            await self.moderation.load()
        for load in (self.book.load, load_patterns, age_bands):
            await asyncio.to_thread(load)

    def beginning(self, request: StoryRequested) -> Beginning:
        """Return what checks this request's story while it is written."""
        return Beginning(request.audience, self.book.render(request))

    async def aclose(self) -> None:
        """Close the clients, then what answers are kept in."""
        if self.moderation is not None:
            await self.moderation.aclose()
        await self.model.aclose()
        await self.stores.aclose()


def build_story_maker(
    settings: Settings,
    clock: Clock,
    observer: CallObserver,
    traced: Callable[[ModelPort], ModelPort],
) -> StoryMaker:
    """Return a story maker that has touched nothing outside. Raises `SettingsError`."""
    llm = llm_options(settings)
    stores = open_stores(
        settings.store.url, settings.store.ttl_s, settings.store.response_cache_s, clock
    )
    place = stores.redis or stores.sqlite
    model = DeferredModel(llm)
    moderation = DeferredModeration(llm) if settings.safety.moderation == "openai" else None
    chains = candidates(llm)
    breakers = Breakers(breaker_policy(settings), chains.names)
    gate = AdaptiveGate(settings.engine.max_in_flight)
    prices = model_prices(settings, llm)
    budgets = daily_budgets(settings)
    warnings = tuple(_kept(budgets, chains, prices, settings))
    book, backlog = PromptBook(), Backlog(observer)
    generator = Generator(
        model=traced(model),
        chains=chains,
        store=stores.results,
        prices=prices,
        breakers=breakers,
        gate=gate,
        retry=retry_policy(settings),
        options=GeneratorOptions(llm.timeout_s, llm.max_output_tokens),
        clock=clock,
        observer=observer,
        backlog=backlog,
        book=book,
        spending=open_spending(budgets, place),
        cache=stores.cache,
        moderation=moderation,
    )
    return StoryMaker(
        warnings=warnings,
        generator=generator,
        llm=llm,
        model=model,
        moderation=moderation,
        book=book,
        stores=stores,
        backlog=backlog,
        user_limits=open_user_limits(settings.limits.user_requests, place, clock),
        breakers=breakers,
        chains=chains,
        gate=gate,
    )


def _kept(budgets: Budgets, chains: Chains, prices: Prices, settings: Settings) -> Iterator[str]:
    """Yield warnings; raises `SettingsError` when a budget could not be kept."""
    if not budgets:
        return
    require_prices(chains.names, prices)
    room = settings.llm.max_output_tokens or Length.LONG.words * TOKENS_PER_WORD
    yield from too_small(budgets, chains.names, prices, settings.engine.max_event_bytes, room)
