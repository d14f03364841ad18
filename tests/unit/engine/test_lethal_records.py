"""Records that may have killed the process: alone, or not at all; and everybody else goes on."""

import asyncio

from jiraiya_events.adapters.journal.deaths import Death
from jiraiya_events.adapters.memory.journal import MemoryJournal
from jiraiya_events.engine.errors import Lethal
from jiraiya_events.engine.records import Record
from jiraiya_events.engine.verdicts import Done, Retry, Verdict, Work
from tests.unit.engine.rig import Rig, echo, virtual


class Watched:
    """A rig whose earlier processes died over some of its records, and what ran beside what."""

    def __init__(self, *, retries: int = 0, in_flight: int = 10) -> None:
        self.deaths: list[Death] = []
        self.rig = Rig(self._handle, in_flight=in_flight)
        self.running: set[int] = set()
        self.beside: dict[int, set[int]] = {}
        self._retries = retries

    def died(self, *offsets: int, times: int) -> None:
        """Let processes die that were working on these."""
        for _ in range(times):
            journal = MemoryJournal(self.deaths)
            for offset in offsets:
                journal.began(Record("in", 0, offset, 0, None, None))
            journal.die()

    async def start(self) -> MemoryJournal:
        """Start the engine as the process that comes after."""
        journal = MemoryJournal(self.deaths)
        self.rig.engine._around.journal = journal
        await self.rig.start()
        return journal

    async def _handle(self, work: Work) -> Verdict:
        offset = work.record.offset
        self.running.add(offset)
        for one in self.running:
            self.beside.setdefault(one, set()).update(self.running)
        await asyncio.sleep(1)
        self.running.discard(offset)
        if offset == 0 and work.tries < self._retries:
            work.tries += 1
            return Retry(5)
        return Done([echo(work.record)])


@virtual
async def test_suspects_run_alone_and_the_others_beside_each_other() -> None:
    """Each suspect has the process to itself."""
    watched = Watched()
    watched.rig.add(*(b"k%d" % n for n in range(6)))
    watched.died(1, 4, times=2)
    await watched.start()
    await asyncio.sleep(10)
    assert watched.beside[1] == {1}
    assert watched.beside[4] == {4}
    assert max(len(others) for others in watched.beside.values()) > 1
    assert len(watched.rig.published) == 6
    await watched.rig.stop()


@virtual
async def test_a_suspect_that_waits_for_a_retry_holds_nobody_up() -> None:
    """Its turns are alone, what lies between them is everybody's."""
    watched = Watched(retries=1)
    watched.rig.add(b"a", b"b", b"c")
    watched.died(0, times=2)
    await watched.start()
    await asyncio.sleep(3)
    assert sorted(watched.rig.published, key=str) == [b"1", b"2"]
    await asyncio.sleep(5)
    assert watched.beside[0] == {0}
    assert len(watched.rig.published) == 3
    await watched.rig.stop()


@virtual
async def test_a_convict_is_ended_without_being_run() -> None:
    """Its lane goes on behind it."""
    watched = Watched()
    watched.rig.add(b"a", b"a", b"b")
    watched.died(0, times=3)
    await watched.start()
    await asyncio.sleep(5)
    assert watched.rig.published[0] == b"crashed 0"
    assert set(watched.rig.published) == {b"crashed 0", b"1", b"2"}
    assert 0 not in watched.beside
    (error,) = watched.rig.crashes
    assert isinstance(error, Lethal)
    assert not error.unread
    await watched.rig.stop()


@virtual
async def test_one_that_died_of_being_read_is_not_even_read() -> None:
    """It was alone at one death more than it takes."""
    watched = Watched()
    watched.rig.add(b"a")
    watched.died(0, times=4)
    await watched.start()
    (error,) = watched.rig.crashes
    assert isinstance(error, Lethal)
    assert error.unread
    await watched.rig.stop()


@virtual
async def test_what_is_committed_is_suspected_no_more() -> None:
    """The convict's deaths are explained, and with them everybody else's."""
    watched = Watched()
    watched.rig.add(*(b"k%d" % n for n in range(4)))
    watched.died(*range(4), times=2)
    watched.died(0, times=3)
    journal = await watched.start()
    assert not watched.deaths
    assert not journal.wary
    await asyncio.sleep(10)
    assert len(watched.rig.published) == 4
    await watched.rig.stop()


@virtual
async def test_notes_end_with_the_turn_however_it_ends() -> None:
    """Finished, waiting or cancelled: what is not running is to blame for nothing."""
    watched = Watched(retries=1)
    watched.rig.add(b"a", b"b")
    journal = await watched.start()
    assert len(journal._running) == 2
    await asyncio.sleep(1)
    assert not journal._running
    await asyncio.sleep(5)
    assert len(journal._running) == 1
    await watched.rig.stop(drain_s=0)
    assert not journal._running


@virtual
async def test_a_handler_that_wants_to_end_the_process_ends_its_record() -> None:
    """A library that calls `sys.exit` takes nobody with it."""

    async def leave(work: Work) -> Verdict:
        raise SystemExit(3)

    rig = Rig(leave)
    rig.add(b"a")
    await rig.start()
    assert rig.published == [b"crashed 0"]
    assert "3" in str(rig.crashes[0])
    await rig.stop()
