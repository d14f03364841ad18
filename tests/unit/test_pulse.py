"""The pulse: whether the broker is there, asked for as long as the service runs."""

import asyncio

import pytest
from structlog.testing import capture_logs

from jiraiya_events.adapters.kafka.intake import KafkaIntake
from jiraiya_events.adapters.kafka.pulse import EVERY_S, BrokerPulse
from jiraiya_events.testing.virtual_time import run_virtual


class Consumer:
    """Its client fails once, then answers."""

    def __init__(self, error: Exception) -> None:
        self.errors = [error]

    @property
    def _client(self) -> "Consumer":
        return self

    async def force_metadata_update(self) -> bool:
        """As aiokafka's."""
        if self.errors:
            raise self.errors.pop()
        return True


@pytest.mark.parametrize(("error", "lines"), [(AssertionError(), 1), (TimeoutError(), 0)])
def test_the_pulse_outlives_whatever_the_client_runs_into(error: Exception, lines: int) -> None:
    """Else nobody would watch over the cluster from then on."""

    async def two_beats() -> tuple[list[float], int]:
        silent, looks = [], 0

        async def look(_: object) -> None:
            nonlocal looks
            looks += 1

        consumer = Consumer(error)
        pulse = BrokerPulse(KafkaIntake(lambda: consumer), [look])
        pulse.start()
        for wait_s in (EVERY_S + 1.0, EVERY_S):
            await asyncio.sleep(wait_s)
            silent.append(pulse.silent_s())
        await pulse.stop()
        return silent, looks

    with capture_logs() as logs:
        assert run_virtual(two_beats()) == ([EVERY_S + 1.0, 1.0], 1)
    assert len(logs) == lines
