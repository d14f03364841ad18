"""The response cache: who gets another request's answer, and what that costs."""

from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.outcome import Source
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.steps import TryAgain, Written
from tests.unit.generation.scene import REQUEST, Scene, answer


class Shelf:
    """A response cache that may be broken."""

    def __init__(self) -> None:
        self.answers: dict[str, PaidAnswer] = {}
        self.users: list[str | None] = []
        self.broken = False

    async def find(self, key: str) -> PaidAnswer | None:
        """Look."""
        if self.broken:
            raise StoreUnavailable("gone")
        return self.answers.get(key)

    async def keep(self, key: str, user_id: str | None, answer: PaidAnswer) -> None:
        """Remember."""
        if self.broken:
            raise StoreUnavailable("gone")
        self.users.append(user_id)
        self.answers[key] = answer


async def test_an_equal_wish_gets_the_same_story_for_nothing() -> None:
    """Proves source, cost and that no model is asked; whose request it is does not matter."""
    scene = Scene(answer(), cache=Shelf())
    first = await scene.attempt()
    other = REQUEST.model_copy(update={"user_id": "bob"})
    scene.progress = Progress()
    second = await scene.attempt(request=other)
    assert isinstance(first, Written)
    assert isinstance(second, Written)
    assert (first.source, second.source) == (Source.MODEL, Source.RESPONSE_CACHE)
    assert second.story == first.story
    progress = scene.progress
    assert (progress.calls, progress.usage, progress.cost_pico_usd) == (0, Usage(), 0)
    assert len(scene.model.calls) == 1


async def test_another_wish_is_written_anew() -> None:
    """Proves that the wish is part of the key."""
    scene = Scene(answer(), cache=Shelf())
    await scene.attempt()
    scene.progress = Progress()
    await scene.attempt(request=REQUEST.model_copy(update={"keywords": ["a hen"]}))
    assert len(scene.model.calls) == 2


async def test_only_what_passed_the_checks_is_shared() -> None:
    """Proves that a bad answer is nobody's."""
    shelf = Shelf()
    scene = Scene(answer("no story"), cache=shelf)
    assert isinstance(await scene.attempt(), TryAgain)
    assert shelf.answers == {}


async def test_what_is_shared_names_its_payer() -> None:
    """Proves that it can be erased with that user."""
    shelf = Shelf()
    await Scene(answer(), cache=shelf).attempt()
    assert shelf.users == ["ann"]


async def test_a_broken_cache_costs_a_call_and_no_request() -> None:
    """Proves that the story is written all the same."""
    shelf = Shelf()
    shelf.broken = True
    scene = Scene(answer(), cache=shelf)
    assert isinstance(await scene.attempt(), Written)
    assert scene.log.store_failures == ["cache: gone", "cache_keep: gone"]
