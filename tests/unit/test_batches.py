"""Where keys go: as Kafka's other clients put them, or order per key would end at a change."""

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.adapters.kafka.batches import partition_of


@given(st.binary(min_size=0, max_size=64), st.integers(1, 64))
def test_a_key_goes_where_the_default_partitioner_puts_it(key: bytes, count: int) -> None:
    partitions = list(range(count))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, partitions, partitions)


def test_null_keys_are_spread() -> None:
    """All of them in one partition would be a hot spot."""
    assert {partition_of(None, [0, 1, 2]) for _ in range(200)} == {0, 1, 2}


@pytest.mark.parametrize("key", [b"user-1", b"", b"\xff"])
def test_a_key_stays_where_it_is(key: bytes) -> None:
    assert len({partition_of(key, range(6)) for _ in range(10)}) == 1
