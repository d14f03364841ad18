"""Under any schedule: who must run alone does, everybody runs once, and nobody waits for ever."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.engine.dispatcher import Dispatcher
from jiraiya_events.engine.lanes import Lane
from jiraiya_events.testing.virtual_time import run_virtual


@dataclass(frozen=True)
class Turn:
    """A record's turn: which session has it, when it is ready, how long it takes."""

    session: int
    ready_at: int
    takes: int
    alone: bool
    cancelled_after: int | None


@dataclass
class World:
    """What runs, and what went wrong."""

    running: dict[Lane, Turn] = field(default_factory=dict)
    ran: int = 0
    wrong: list[str] = field(default_factory=list)


class Source:
    """A session that may be stopped from starting for a while."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.waiting: deque[Turn] = deque()
        self.stopped = False

    @property
    def can_start(self) -> bool:
        return bool(self.waiting) and not self.stopped

    @property
    def next_runs_alone(self) -> bool:
        return self.waiting[0].alone

    def start_next(self) -> Lane:
        return Lane(self.waiting.popleft())

    async def run(self, lane: Lane) -> None:
        world, turn = self._world, lane.key
        assert isinstance(turn, Turn)
        world.running[lane] = turn
        world.ran += 1
        if len(world.running) > 1 and any(other.alone for other in world.running.values()):
            world.wrong.append(f"{list(world.running.values())} run together")
        try:
            if turn.cancelled_after is not None:
                task = asyncio.current_task()
                assert task is not None
                asyncio.get_running_loop().call_later(turn.cancelled_after, task.cancel)
            await asyncio.sleep(turn.takes)
        finally:
            del world.running[lane]


TURNS = st.lists(
    st.builds(
        Turn,
        session=st.integers(0, 2),
        ready_at=st.integers(0, 20),
        takes=st.integers(0, 5),
        alone=st.booleans(),
        cancelled_after=st.none() | st.integers(0, 5),
    ),
    max_size=25,
)
STOPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 5)), max_size=4)


@given(TURNS, STOPS, st.integers(1, 4))
def test_who_must_be_alone_is_and_everybody_runs_once(
    turns: list[Turn], stops: list[tuple[int, int, int]], slots: int
) -> None:
    """Turns of several sessions, some cancelled, sessions that stop and go on."""

    async def schedule() -> World:
        world = World()
        dispatcher = Dispatcher(slots)
        sources = [Source(world) for _ in range(3)]
        loop = asyncio.get_running_loop()

        def ready(turn: Turn) -> None:
            sources[turn.session].waiting.append(turn)
            dispatcher.offer(sources[turn.session])

        def stop(source: Source, seconds: int) -> None:
            source.stopped = True
            loop.call_later(seconds, go_on, source)

        def go_on(source: Source) -> None:
            source.stopped = False
            dispatcher.offer(source)

        for turn in turns:
            loop.call_later(turn.ready_at, ready, turn)
        for number, at, seconds in stops:
            loop.call_later(at, stop, sources[number], seconds)
        await asyncio.sleep(30 + sum(turn.takes for turn in turns))
        assert dispatcher.in_flight == 0
        return world

    world = run_virtual(schedule())
    assert not world.wrong
    assert world.ran == len(turns)
