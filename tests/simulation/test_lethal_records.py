"""Members that die of a record, and of nothing in particular: the record is found, nobody else."""

import asyncio
import random

import pytest

from jiraiya_events.adapters.journal.deaths import Death
from jiraiya_events.adapters.journal.layout import End
from jiraiya_events.adapters.memory.journal import MemoryJournal
from jiraiya_events.adapters.memory.log import MemoryLog
from jiraiya_events.engine.errors import Lethal
from jiraiya_events.engine.limits import Limits
from jiraiya_events.engine.records import Output, Partition, Record
from jiraiya_events.engine.verdicts import Done, Verdict, Work
from jiraiya_events.testing.virtual_time import run_virtual
from tests.simulation.seeds import again, block_of_seeds
from tests.simulation.world import OUT, TOPIC, Luck, Member, echo, judge

PARTITIONS = [Partition(TOPIC, number) for number in range(3)]
LUCK = Luck(commit_lost=0.02, commit_unheard=0.02, retry=0.1, park=0.05, crash=0.02)
KILLS_AT_MOST = 5


class World:
    """Members over one log, with journals in one place; some records end whoever runs them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.log = MemoryLog()
        self.inputs: dict[Partition, list[Record]] = {p: [] for p in PARTITIONS}
        for _ in range(60):
            key = self.rng.choice([None, *(b"k%d" % n for n in range(5))])
            partition = self.rng.choice(PARTITIONS)
            self.inputs[partition].append(self.log.append(partition, key, b"v"))
        records = [record for records in self.inputs.values() for record in records]
        self.lethal = self.rng.sample(records, self.rng.choice([0, 1, 1, 2]))
        self.given_up: list[Record] = []
        self.deaths: list[Death] = []
        self.crashes = 0
        self.members: list[Mortal] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def join(self) -> None:
        self.members.append(Mortal(self))
        self.rebalance()

    def rebalance(self) -> None:
        shares: list[set[Partition]] = [set() for _ in self.members]
        for partition in PARTITIONS if self.members else []:
            self.rng.choice(shares).add(partition)
        for member, share in zip(self.members, shares, strict=True):
            member.assign(share)

    def end(self, member: "Mortal", end: End) -> None:
        """Let a member die on the spot; another comes after a while."""
        if member in self.members:
            self.members.remove(member)
            self.crashes += end is End.CRASHED
            member.journal.die(end)
            task = asyncio.get_running_loop().create_task(self._bury(member))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _bury(self, member: "Mortal") -> None:
        await member.kill()
        self.rebalance()
        await asyncio.sleep(self.rng.uniform(0, 3))
        self.join()

    async def live(self) -> list[str]:
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            self.join()
        for _ in range(self.rng.randrange(KILLS_AT_MOST + 1)):
            await asyncio.sleep(self.rng.expovariate(1))
            if self.members:
                self.end(self.rng.choice(self.members), End.KILLED)
        for _ in range(600):
            await asyncio.sleep(1)
            if not judge(self.log, self.inputs):
                break
        while self.tasks:
            await asyncio.wait(self.tasks)
        await asyncio.sleep(10)
        for member in self.members:
            await member.stop()
        return judge(self.log, self.inputs)


class Mortal(Member):
    """A member that takes notes, and dies of some records."""

    def __init__(self, world: World) -> None:
        limits = Limits(in_flight=world.rng.choice([1, 3, 20]))
        super().__init__(world.log, world.rng, LUCK, limits)
        self.world = world
        self.journal = MemoryJournal(world.deaths)
        self.engine._around.journal = self.journal
        self._usual = self.handler.handle
        self.handler.handle = self._handle  # type: ignore[method-assign]
        self.handler.crashed = self._crashed  # type: ignore[method-assign]

    async def _handle(self, work: Work) -> Verdict:
        if work.record in self.world.lethal:
            await asyncio.sleep(self.world.rng.expovariate(5))
            self.world.end(self, End.CRASHED)
            await asyncio.Event().wait()
        return await self._usual(work)

    def _crashed(self, work: Work, error: Exception) -> Done:
        record = work.record
        if isinstance(error, Lethal):
            self.world.given_up.append(record)
        return Done([Output(OUT, record.key, echo(record).value)])


@pytest.mark.parametrize("block", range(2))
def test_lethal_records_are_given_up_and_nobody_else(block: int) -> None:
    """Whatever else dies meanwhile: one output per record, in order, after so many crashes."""
    for seed in block_of_seeds(block):

        async def schedule(seed: int = seed) -> tuple[World, list[str]]:
            world = World(seed)
            return world, await world.live()

        world, wrong = run_virtual(schedule())
        assert not wrong, f"{again(seed)}: {wrong[:5]}"
        innocent = [record for record in world.given_up if record not in world.lethal]
        assert not innocent, f"{again(seed)}: {innocent}"
        assert all(record in world.given_up for record in world.lethal), f"{again(seed)}"
        # Five, and a few more: a member that lives on does not hear of the others' deaths.
        assert world.crashes <= 10 * len(world.lethal), f"{again(seed)}: {world.crashes} crashes"
