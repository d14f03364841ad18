"""Waiting for a broker: how soon it is found, and how often somebody is told."""

import asyncio

import pytest
from structlog.testing import capture_logs

from jiraiya_events.adapters.kafka import availability
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.domain.errors import BrokerUnavailable
from jiraiya_events.testing.virtual_time import run_virtual

THERE_AT_S = 35.0


async def found_at_s() -> float:
    """Return when the broker is found that is there from then on."""
    await availability.wait_for_broker(KafkaConnection("nowhere:1"))
    return asyncio.get_running_loop().time()


def test_a_broker_that_comes_is_found_within_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it was away; and every ten seconds of that are worth a line."""

    async def ask(_: KafkaConnection) -> BrokerUnavailable | None:
        there = asyncio.get_running_loop().time() >= THERE_AT_S
        return None if there else BrokerUnavailable("nobody listens")

    monkeypatch.setattr(availability, "_ask", ask)
    with capture_logs() as lines:
        found = run_virtual(found_at_s())
    assert THERE_AT_S <= found <= THERE_AT_S + 2
    assert [line["reason"] for line in lines] == ["nobody listens"] * 4
