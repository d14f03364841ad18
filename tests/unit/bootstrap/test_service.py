"""The order in which the service ends what it started."""

import asyncio
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from jiraiya_events.adapters.journal import FileJournal
from jiraiya_events.bootstrap.service import Parts, Service
from jiraiya_events.engine.verdicts import Verdict, Work
from tests.unit.engine.rig import HERE, Rig, at_once, virtual


class Edge:
    """Leaves the group; what stands still by then is noted."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.committed: int | None = None

    async def stop(self) -> None:
        """As the edge's."""
        self.committed = self._rig.committed.offset


@virtual
async def test_a_stop_during_the_start_drains_what_runs_already() -> None:
    """The group may have assigned partitions before joining it has returned."""
    begun = asyncio.Event()

    async def slowly(work: Work) -> Verdict:
        begun.set()
        await asyncio.sleep(0.1)
        return await at_once(work)

    rig = Rig(slowly)
    edge = Edge(rig)
    journal = FileJournal(Path("nowhere"), scope="group", slots=1)
    parts = SimpleNamespace(
        engine=rig.engine,
        edge=edge,
        journal=journal,
        drain_s=1.0,
        maker=SimpleNamespace(warnings=(), breakers=None),
        vigil=None,
    )
    service = Service(cast("Parts", parts))
    await rig.start(HERE)
    rig.add(b"a", b"b")
    await begun.wait()
    await service.stop()
    assert edge.committed == len(rig.started)
    assert rig.engine.statistics().draining
    await rig.stop()


@virtual
async def test_a_stop_waits_for_no_broker_that_hangs() -> None:
    """Whoever stops the process kills it in the end, and what is open would not be closed."""

    class Hanging:
        async def stop(self) -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1_000)
            await asyncio.sleep(1_000)

    rig = Rig()
    parts = SimpleNamespace(
        engine=rig.engine,
        edge=Hanging(),
        journal=FileJournal(Path("nowhere"), scope="group", slots=1),
        drain_s=1.0,
        maker=SimpleNamespace(warnings=(), breakers=None),
        vigil=None,
    )
    service = Service(cast("Parts", parts))
    service._exit.push_async_callback(Hanging().stop)
    await rig.start(HERE)
    began = asyncio.get_running_loop().time()
    await service.stop()
    assert asyncio.get_running_loop().time() - began <= 1 + 15
    await rig.stop()
