"""What every response cache promises, checked on each of them; and what makes wishes equal."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from jiraiya_events.adapters.store.open_store import Stores, open_stores
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.prompt_book import PromptBook
from jiraiya_events.generation.response_cache import ResponseCache, cache_key
from tests.contracts.standing_clock import StandingClock
from tests.contracts.test_result_store import A_WHILE, FIRST, TTL_S, failed, paid

CACHE_S = 1000.0


@pytest.fixture
async def stores(store_url: str, clock: StandingClock) -> AsyncIterator[Stores]:
    """Open what is kept at one of the addresses."""
    opened = open_stores(store_url, TTL_S, CACHE_S, clock)
    yield opened
    await opened.aclose()


@pytest.fixture
def cache(stores: Stores) -> ResponseCache:
    """Return one of the caches."""
    assert stores.cache is not None
    return stores.cache


async def test_an_unheard_of_key_is_a_miss(cache: ResponseCache) -> None:
    """Proves that an empty cache knows nothing."""
    assert await cache.find("k") is None


async def test_an_answer_comes_back_as_it_was(cache: ResponseCache) -> None:
    """Proves it for its own key and no other, and for a payer nobody knows."""
    await cache.keep("k", "ann", paid("one"))
    await cache.keep("l", None, paid("other"))
    assert await cache.find("k") == paid("one")
    assert await cache.find("l") == paid("other")
    assert await cache.find("m") is None


async def test_the_latest_answer_replaces_the_one_before(cache: ResponseCache) -> None:
    """Proves that whoever paid for the first no longer counts."""
    await cache.keep("k", "ann", paid("one"))
    await cache.keep("k", "bob", paid("two"))
    assert await cache.forget("ann") == 0
    assert await cache.find("k") == paid("two")


async def test_an_answer_ends_with_its_time(cache: ResponseCache, clock: StandingClock) -> None:
    """Proves that finding it does not prolong its life, and that keeping anew does."""
    await cache.keep("k", "ann", paid("one"))
    clock.time += CACHE_S - A_WHILE
    assert await cache.find("k") == paid("one")
    clock.time += A_WHILE
    assert await cache.find("k") is None
    await cache.keep("k", "ann", paid("two"))
    clock.time += CACHE_S - A_WHILE
    assert await cache.find("k") == paid("two")


async def test_a_user_can_be_forgotten(cache: ResponseCache) -> None:
    """Proves that what one user paid for goes, and nothing of others."""
    for key, user in (("k", "ann"), ("l", "ann"), ("m", "bob"), ("n", None)):
        await cache.keep(key, user, paid())
    assert await cache.forget("ann") == 2
    assert await cache.forget("ann") == 0
    assert [await cache.find(key) for key in "klmn"] == [None, None, paid(), paid()]


async def test_a_user_is_forgotten_by_the_store_and_by_a_cache_that_is_off(
    stores: Stores, store_url: str, clock: StandingClock
) -> None:
    """Proves that a cache switched off keeps nobody's stories, and that requests are counted."""
    await stores.answers.keep("k", "ann", paid())
    await stores.results.save_outcome(FIRST, "f", "ann", failed())
    off = stores if store_url == "memory://" else open_stores(store_url, TTL_S, 0, clock)
    assert await off.forget("ann") == 1
    assert await stores.answers.find("k") is None
    await off.aclose()


async def test_an_expired_entry_is_no_obstacle_to_forgetting(
    stores: Stores, clock: StandingClock
) -> None:
    """Proves that what has ended is neither counted nor missed."""
    await stores.answers.keep("k", "ann", paid())
    clock.time += CACHE_S
    await stores.results.look_up(FIRST, "f", "bob")
    await stores.answers.keep("l", "ann", paid())
    assert await stores.answers.forget("ann") == 1
    assert await stores.answers.find("l") is None


def test_a_cache_of_no_time_is_off() -> None:
    """Proves that nothing is cached unless somebody asks for it."""
    assert open_stores("memory://", TTL_S, 0).cache is None


async def test_what_has_ended_leaves_the_file(tmp_path: Path, clock: StandingClock) -> None:
    """Proves it also once the cache is off, and that pruning takes small bites."""
    stores = open_stores(f"sqlite:///{tmp_path}/r.db", TTL_S, CACHE_S, clock)
    for number in range(250):
        await stores.answers.keep(str(number), "ann", paid())
    await stores.aclose()
    clock.time += CACHE_S
    without = open_stores(f"sqlite:///{tmp_path}/r.db", TTL_S, 0, clock)
    left = []
    for _ in range(3):
        await without.results.look_up(FIRST, "f", "bob")
        with closing(sqlite3.connect(tmp_path / "r.db")) as file:
            left.append(file.execute("SELECT count(*) FROM cached_answers").fetchone()[0])
    await without.aclose()
    assert left == [150, 50, 0]


async def test_memory_of_what_has_ended_is_given_back(clock: StandingClock) -> None:
    """Proves that a cache in memory does not grow for ever."""
    stores = open_stores("memory://", TTL_S, CACHE_S, clock)
    for number in range(10):
        await stores.answers.keep(str(number), "ann", paid())
    clock.time += CACHE_S
    for _ in range(2):
        await stores.answers.keep("new", "ann", paid())
    assert await stores.answers.forget("ann") == 1


def wish(**changes: object) -> StoryRequested:
    """Return a request."""
    return StoryRequested.model_validate({"user_id": "ann", "keywords": ["moon"], **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": "bob"},
        {"request_id": "another"},
        {"metadata": {"a": "b"}},
        {"timeout_ms": 5000},
        {"stream": True},
    ],
)
def test_who_asks_and_how_makes_no_difference(changes: dict[str, object]) -> None:
    """Proves that wishes of several users share an answer, whatever the process's canary is."""
    one = cache_key(PromptBook(canary="abc").render(wish()), "m")
    assert cache_key(PromptBook(canary="xyz").render(wish(**changes)), "m") == one


@pytest.mark.parametrize(
    "changes",
    [{"keywords": ["sun"]}, {"audience": "adults"}, {"language": "de"}, {"length": "long"}],
)
def test_what_is_wished_for_makes_a_difference(changes: dict[str, object]) -> None:
    """Proves that no story answers another wish."""
    book = PromptBook(canary="abc")
    assert cache_key(book.render(wish(**changes)), "m") != cache_key(book.render(wish()), "m")


def test_the_model_makes_a_difference() -> None:
    """Proves that no model answers for another."""
    prompt = PromptBook(canary="abc").render(wish())
    assert cache_key(prompt, "one") != cache_key(prompt, "two")
