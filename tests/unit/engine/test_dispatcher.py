"""The dispatcher: slots are handed out in turn, and none is ever lost."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from jiraiya_events.engine.dispatcher import Dispatcher
from jiraiya_events.engine.lanes import Lane
from tests.unit.engine.rig import virtual


async def nothing(lane: Lane) -> None:
    """Be done at once."""


async def a_second(lane: Lane) -> None:
    """Take one second."""
    await asyncio.sleep(1)


async def a_minute(lane: Lane) -> None:
    """Take a minute."""
    await asyncio.sleep(60)


class Queue:
    """A session that has as many lanes to start as it was given."""

    def __init__(self, name: str, behave: Callable[[Lane], Awaitable[None]] = nothing) -> None:
        self.name = name
        self.waiting: deque[Lane] = deque()
        self.ran: list[tuple[str, str]] = []
        self.tasks: set[asyncio.Task[object] | None] = set()
        self._behave = behave

    def add(self, *keys: str) -> "Queue":
        """Let lanes wait."""
        self.waiting += [Lane(key) for key in keys]
        return self

    @property
    def can_start(self) -> bool:
        """Tell whether a lane waits."""
        return bool(self.waiting)

    @property
    def next_runs_alone(self) -> bool:
        """Tell whether the next lane's name says so."""
        return "alone" in str(self.waiting[0].key)

    def start_next(self) -> Lane:
        """Take the first."""
        return self.waiting.popleft()

    async def run(self, lane: Lane) -> None:
        """Note it, then behave."""
        self.ran.append((self.name, str(lane.key)))
        self.tasks.add(asyncio.current_task())
        await self._behave(lane)


@virtual
async def test_a_burst_costs_a_task_a_slot_not_a_task_a_record() -> None:
    """Workers go on with the next record instead of ending."""
    dispatcher = Dispatcher(slots=2)
    queue = Queue("a", a_second).add(*"123456")
    dispatcher.offer(queue)
    await asyncio.sleep(2.5)
    assert len(queue.ran) == 6
    assert len(queue.tasks) == dispatcher.in_flight == 2
    await asyncio.sleep(1)
    assert dispatcher.in_flight == 0


@virtual
async def test_sessions_take_turns() -> None:
    """One record each, whoever has more."""
    dispatcher = Dispatcher(slots=1)
    ran: list[tuple[str, str]] = []
    busy, other = Queue("busy", a_second).add(*"123"), Queue("other", a_second).add("1")
    busy.ran = other.ran = ran
    dispatcher.offer(busy)
    dispatcher.offer(other)
    await asyncio.sleep(4)
    assert ran == [("busy", "1"), ("busy", "2"), ("other", "1"), ("busy", "3")]


@virtual
async def test_an_offer_while_the_last_worker_ends_is_not_forgotten() -> None:
    """It comes after the worker's last look and before its slot is back."""
    dispatcher = Dispatcher(slots=1)
    late = Queue("late").add("1")

    async def offer_another(lane: Lane) -> None:
        asyncio.get_running_loop().call_soon(dispatcher.offer, late)

    dispatcher.offer(Queue("early", offer_another).add("1"))
    await asyncio.sleep(1)
    assert late.ran == [("late", "1")]


@virtual
async def test_a_cancelled_worker_gives_its_slot_back() -> None:
    """Before its first step as well as in the middle."""
    dispatcher = Dispatcher(slots=1)
    for seconds in (0.0, 0.5):
        queue = Queue("a", a_second).add("1", "2")
        dispatcher.offer(queue)
        (first,) = dispatcher.workers
        await asyncio.sleep(seconds) if seconds else None
        first.cancel()
        await asyncio.sleep(1)
        assert queue.ran[-1] == ("a", "2")
        await asyncio.sleep(1)
        assert dispatcher.in_flight == 0


@virtual
async def test_a_worker_whose_cancellation_was_swallowed_takes_no_other_record() -> None:
    """It was meant for the worker, and the next record would be cut for no reason of its own."""

    async def swallow(lane: Lane) -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            return

    dispatcher = Dispatcher(slots=1)
    queue = Queue("a", swallow).add("1", "2")
    dispatcher.offer(queue)
    await asyncio.sleep(0.5)
    (first,) = dispatcher.workers
    first.cancel()
    await asyncio.sleep(0.1)
    (second,) = dispatcher.workers
    assert second is not first
    await asyncio.sleep(1)


@virtual
async def test_a_stopped_dispatcher_starts_nothing() -> None:
    """What runs may end; nothing follows."""
    dispatcher = Dispatcher(slots=1)
    queue = Queue("a", a_second).add("1", "2")
    dispatcher.offer(queue)
    await asyncio.sleep(0.5)
    dispatcher.stop()
    await asyncio.sleep(5)
    assert queue.ran == [("a", "1")]
    assert dispatcher.in_flight == 0


@virtual
async def test_what_runs_alone_waits_for_the_others_and_they_for_it() -> None:
    """Nobody passes it, nobody joins it, and then all go on."""
    dispatcher = Dispatcher(slots=3)
    busy, wary = Queue("busy", a_second).add(*"1234"), Queue("wary", a_second).add("alone", "5")
    dispatcher.offer(busy)
    dispatcher.offer(wary)
    await asyncio.sleep(1.5)
    dispatcher.offer(busy.add("6"))
    assert busy.ran[-1] == ("busy", "4")
    assert dispatcher.in_flight == 1
    await asyncio.sleep(1)
    assert wary.ran == [("wary", "alone")]
    assert dispatcher.in_flight == 1
    await asyncio.sleep(1)
    assert wary.ran[-1] == ("wary", "5")
    assert busy.ran[-1] == ("busy", "6")
    await asyncio.sleep(1)


@virtual
async def test_who_runs_alone_may_be_cancelled_and_the_others_go_on() -> None:
    """Before its first step as well as in the middle."""
    dispatcher = Dispatcher(slots=2)
    for seconds in (0.0, 0.5):
        queue = Queue("a", a_second).add("alone", "2", "3")
        dispatcher.offer(queue)
        (first,) = dispatcher.workers
        await asyncio.sleep(seconds) if seconds else None
        first.cancel()
        await asyncio.sleep(0.1)
        assert queue.ran[-2:] == [("a", "2"), ("a", "3")]
        await asyncio.sleep(2)


@virtual
async def test_a_session_that_may_not_start_any_more_holds_nobody_up() -> None:
    """Its partition was revoked while its record waited to be alone."""
    dispatcher = Dispatcher(slots=2)
    slow, other = Queue("slow", a_minute).add("1"), Queue("other").add("2")
    wary = Queue("wary").add("alone")
    for queue in (slow, wary, other):
        dispatcher.offer(queue)
    await asyncio.sleep(1)
    assert not other.ran
    wary.waiting.clear()
    dispatcher.offer(other)
    await asyncio.sleep(1)
    assert other.ran == [("other", "2")]
    await asyncio.sleep(60)
