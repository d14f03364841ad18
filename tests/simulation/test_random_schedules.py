"""Whatever happens to members and commits: one output per record, each key in order."""

import asyncio
import random

import pytest

from jiraiya_events.adapters.memory.log import MemoryLog
from jiraiya_events.engine.limits import Limits
from jiraiya_events.engine.records import Partition, Record
from jiraiya_events.testing.virtual_time import run_virtual
from tests.simulation.seeds import again, block_of_seeds
from tests.simulation.world import TOPIC, Luck, Member, judge

ROUGH = Luck(commit_lost=0.05, commit_unheard=0.05, retry=0.1, park=0.05, crash=0.02)
PARTITIONS = [Partition(TOPIC, number) for number in range(3)]


class World:
    """Members over one log, and a schedule drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.log = MemoryLog()
        self.inputs: dict[Partition, list[Record]] = {p: [] for p in PARTITIONS}
        self.members: list[Member] = []
        self.history: list[str] = []

    def publish(self, count: int) -> None:
        for _ in range(count):
            partition = self.rng.choice(PARTITIONS)
            key = self.rng.choice([None, *(b"k%d" % n for n in range(5))])
            gap = self.rng.choice([0, 0, 0, 1, 2])
            self.inputs[partition].append(self.log.append(partition, key, b"v", gap=gap))

    def join(self) -> None:
        limits = Limits(in_flight=self.rng.choice([1, 3, 20]), accepted=self.rng.choice([3, 50]))
        self.members.append(Member(self.log, self.rng, ROUGH, limits))
        self.rebalance()

    def rebalance(self) -> None:
        shares: list[set[Partition]] = [set() for _ in self.members]
        for partition in PARTITIONS:
            self.rng.choice(shares).add(partition)
        for member, share in zip(self.members, shares, strict=True):
            member.assign(share)

    async def shake(self) -> None:
        event = self.rng.choice(
            ["join", "kill", "stop", "rebalance", "rebalance", "zombie", "publish"]
        )
        self.history.append(event)
        if event == "publish":
            self.publish(10)
        elif event == "join" and len(self.members) < 4:
            self.join()
        elif event == "kill":
            await self._remove(kill=True)
        elif event == "stop":
            await self._remove(kill=False)
        elif event == "rebalance":
            self.rebalance()
        elif event == "zombie":
            self._rebalance_behind_somebodys_back()

    async def _remove(self, *, kill: bool) -> None:
        member = self.members.pop(self.rng.randrange(len(self.members)))
        await (member.kill() if kill else member.stop())
        self.join() if not self.members else self.rebalance()

    def _rebalance_behind_somebodys_back(self) -> None:
        """All but one are told of the new assignment; the one goes on until it is fenced."""
        asleep = self.rng.choice(self.members)
        shares: list[set[Partition]] = [set() for _ in self.members]
        for partition in PARTITIONS:
            self.rng.choice(shares).add(partition)
        for member, share in zip(self.members, shares, strict=True):
            if member is not asleep:
                member.assign(share)
        loop = asyncio.get_running_loop()
        loop.call_later(self.rng.uniform(0.1, 3), self._wake, asleep)

    def _wake(self, asleep: Member) -> None:
        if asleep in self.members:
            self.rebalance()

    async def settle(self) -> list[str]:
        """Wait until everything is committed, then judge."""
        self.rebalance()
        for _ in range(600):
            await asyncio.sleep(1)
            wrong = judge(self.log, self.inputs)
            if not wrong:
                break
        await asyncio.sleep(10)  # virtual: room for a duplicate to show
        for member in self.members:
            await member.stop()
        return judge(self.log, self.inputs)


async def schedule(seed: int) -> tuple[list[str], list[str]]:
    world = World(seed)
    world.publish(60)
    world.join()
    for _ in range(world.rng.randrange(3, 15)):
        await asyncio.sleep(world.rng.expovariate(1))
        await world.shake()
    return await world.settle(), world.history


@pytest.mark.parametrize("block", range(4))
def test_every_record_has_exactly_one_output_and_keys_keep_their_order(block: int) -> None:
    """Random joins, kills, zombies, lost and unheard commits, retries and crashes."""
    for seed in block_of_seeds(block):
        wrong, history = run_virtual(schedule(seed))
        assert not wrong, f"{again(seed)}: {wrong[:5]} after {history}"
