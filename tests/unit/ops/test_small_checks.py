"""The doctor's check of the store with fakes, and the small parts of the others."""

from contextlib import nullcontext

import pytest

from jiraiya_events.adapters.kafka.authorization import READ, UNKNOWN, WRITE, allows
from jiraiya_events.adapters.kafka.probe import split_address
from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.ops.findings import Verdict
from jiraiya_events.ops.moderation_check import check_moderation
from jiraiya_events.ops.store_check import check_store


class ReadOnlyStore(MemoryStore):
    """A store on a full or read-only disk."""

    async def ping(self) -> None:
        msg = "the disk is read-only"
        raise StoreUnavailable(msg)


async def test_a_store_that_can_be_written_to_is_well() -> None:
    """Its place is named."""
    (finding,) = await check_store(MemoryStore(60.0), "memory://")
    assert finding.verdict is Verdict.OK
    assert "memory://" in finding.detail


async def test_a_store_that_cannot_says_why_and_what_to_set() -> None:
    """It is a failure, though the service would go on without it: it might pay twice."""
    (finding,) = await check_store(ReadOnlyStore(60.0), "here")
    assert finding.verdict is Verdict.FAILED
    assert "read-only" in finding.detail
    assert "JIRAIYA_STORE__URL" in finding.mend


@pytest.mark.parametrize("place", ["redis://host:6379/0", "rediss://***@host:6379/0"])
async def test_what_to_do_about_redis_is_said_once(place: str) -> None:
    """Its own reason says whether to start it, or to set another address."""
    (finding,) = await check_store(ReadOnlyStore(60.0), place)
    assert "JIRAIYA" not in finding.mend
    assert "paid for twice" in finding.mend


class Censor:
    """A moderation that answers, or does not."""

    def __init__(self, fault: Fault | None) -> None:
        self._fault = fault

    async def flagged(self, text: str, audience: Audience = Audience.CHILDREN) -> frozenset[str]:
        """Answer."""
        if self._fault is not None:
            raise CallFault(self._fault)
        return frozenset()


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [(None, Verdict.OK), (Fault(FaultKind.HTTP, 404, detail="404 not found"), Verdict.FAILED)],
)
async def test_moderation_is_asked_where_it_is_on(fault: Fault | None, verdict: Verdict) -> None:
    """Else an endpoint without it is only seen in requests that fail."""
    (finding,) = await check_moderation(lambda: nullcontext(Censor(fault)))
    assert finding.verdict is verdict
    (off,) = await check_moderation(None)
    assert off.verdict is Verdict.SKIPPED


def test_rights_are_bits_and_silence_is_no_refusal() -> None:
    """KIP-430: a bit for each operation; a cluster that does not tell is not accused."""
    assert allows(1 << READ, READ)
    assert not allows(1 << READ, WRITE)
    assert not allows(0, READ)
    assert allows(UNKNOWN, WRITE)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("kafka:9092", ("kafka", 9092)),
        ("[::1]:9092", ("::1", 9092)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
    ],
)
def test_addresses_are_split_at_the_last_colon(text: str, address: tuple[str, int]) -> None:
    """IPv6 hosts lose their brackets."""
    assert split_address(text) == address
