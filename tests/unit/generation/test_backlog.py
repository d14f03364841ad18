"""What could not be saved is sent when the store is back."""

from collections.abc import Awaitable, Callable

from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.generation.backlog import MOST, Backlog
from jiraiya_events.generation.ports import CallObserver


class Shelf:
    """A store that may be away; some things it never takes."""

    def __init__(self) -> None:
        self.away = True
        self.refused: set[str] = set()
        self.taken: list[str] = []

    def put(self, what: str) -> Callable[[], Awaitable[str]]:
        """Return what puts this on the shelf."""

        async def send() -> str:
            if self.away or what in self.refused:
                raise StoreUnavailable("gone")
            self.taken.append(what)
            return what

        return send


class Notes(CallObserver):
    """Remembers what was told."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.answered: list[str] = []
        self.full: list[int] = []

    def store_failed(self, operation: str, reason: str) -> None:
        """Remember the operation."""
        self.failed.append(operation)

    def store_answered(self, operation: str) -> None:
        """Remember the operation."""
        self.answered.append(operation)

    def backlog_full(self, most: int) -> None:
        """Remember the limit."""
        self.full.append(most)


async def test_what_an_outage_held_up_is_sent_in_order_and_once() -> None:
    shelf, notes = Shelf(), Notes()
    backlog = Backlog(notes)
    for what in "abc":
        assert await backlog.save("save_outcome", what, shelf.put(what)) is None
    await backlog.catch_up()
    shelf.away = False
    await backlog.catch_up()
    await backlog.catch_up()
    # The first went to the end of the line when it was tried too early.
    assert shelf.taken == ["b", "c", "a"]
    assert (notes.failed, notes.answered) == (["save_outcome"] * 4, ["save_outcome"] * 3)


async def test_while_the_store_works_nothing_is_kept() -> None:
    shelf, notes = Shelf(), Notes()
    shelf.away = False
    backlog = Backlog(notes)
    assert await backlog.save("save_outcome", "a", shelf.put("a")) == "a"
    await backlog.catch_up()
    assert shelf.taken == ["a"]


async def test_what_can_never_be_saved_holds_up_nobody() -> None:
    """A right may be missing for one operation alone."""
    shelf = Shelf()
    backlog = Backlog(Notes())
    for what in "abc":
        await backlog.save("settle", what, shelf.put(what))
    shelf.away, shelf.refused = False, {"a"}
    await backlog.catch_up()
    await backlog.catch_up()
    assert shelf.taken == ["b", "c"]


async def test_an_answer_does_not_come_after_the_one_that_replaced_it() -> None:
    """The latest counts, and it is in the store already; another request's is still sent."""
    shelf = Shelf()
    backlog = Backlog(Notes())
    await backlog.save("save_answer", "r-1", shelf.put("first"))
    await backlog.save("save_answer", "r-2", shelf.put("another"))
    shelf.away = False
    await backlog.save("save_answer", "r-1", shelf.put("second"))
    await backlog.catch_up()
    assert shelf.taken == ["second", "another"]


async def test_a_long_outage_keeps_the_latest_and_says_once_that_others_are_lost() -> None:
    shelf, notes = Shelf(), Notes()
    backlog = Backlog(notes)
    for number in range(MOST + 3):
        await backlog.save("save_outcome", number, shelf.put(str(number)))
    shelf.away = False
    await backlog.catch_up()
    assert shelf.taken == [str(number) for number in range(3, MOST + 3)]
    assert notes.full == [MOST]


async def test_what_lost_its_place_while_it_was_sent_does_not_come_back() -> None:
    """A send that fails may take so long that others fill the backlog meanwhile."""
    shelf = Shelf()
    backlog = Backlog(Notes())

    async def slow() -> None:
        if trying:
            for number in range(MOST):
                await backlog.save("save_outcome", number, shelf.put(str(number)))
        raise StoreUnavailable("gone")

    trying = False
    await backlog.save("save_outcome", "slow", slow)
    trying = True
    await backlog.catch_up()
    trying = shelf.away = False
    await backlog.catch_up()
    assert len(shelf.taken) == MOST
