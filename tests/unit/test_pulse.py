"""The pulse: whether the broker is there, asked for as long as the service runs."""

import asyncio
from typing import ClassVar

import pytest
from structlog.testing import capture_logs

from jiraiya_events.adapters.kafka.intake import KafkaIntake
from jiraiya_events.adapters.kafka.pulse import EVERY_S, BrokerPulse
from jiraiya_events.domain.looks import Look
from jiraiya_events.testing.virtual_time import run_virtual


class Consumer:
    """Its client fails a few times, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

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
        assert run_virtual(two_beats()) == ([1.0, 0.0], 1)
    assert len(logs) == lines


def test_a_broker_that_answers_is_not_silent_however_long_the_looks_take() -> None:
    """Else slow looks would make it look as if it were away."""

    async def a_minute() -> float:
        async def look(_: object) -> None:
            await asyncio.sleep(1_000)

        pulse = BrokerPulse(KafkaIntake(Consumer), [look, look])
        pulse.start()
        silent = []
        for _ in range(60):
            await asyncio.sleep(1)
            silent.append(pulse.silent_s())
        await pulse.stop()
        return max(silent)

    assert run_virtual(a_minute()) == 0.0


def test_silence_begins_with_the_first_question_nobody_answers() -> None:
    """And ends with the first that is answered."""

    async def silence_then_an_answer() -> list[float]:
        pulse = BrokerPulse(KafkaIntake(lambda: consumer), [])
        consumer = Consumer(*[TimeoutError()] * 5)
        pulse.start()
        await asyncio.sleep(5.5 * EVERY_S)
        silent = [pulse.silent_s()]
        await asyncio.sleep(EVERY_S)
        silent.append(pulse.silent_s())
        await pulse.stop()
        return silent

    assert run_virtual(silence_then_an_answer()) == [4.5 * EVERY_S, 0.0]


def test_the_pulse_knows_when_the_last_answer_came_and_how_long_it_took() -> None:
    """A question that stays open changes nothing of it."""

    class Slow(Consumer):
        waits_s: ClassVar = [0.25, 1_000.0]

        async def force_metadata_update(self) -> bool:
            """Take a quarter of a second, then for ever."""
            await asyncio.sleep(self.waits_s.pop(0))
            return True

    async def two_beats() -> list[Look | None]:
        consumer = Slow()
        pulse = BrokerPulse(KafkaIntake(lambda: consumer))
        heard = [pulse.heard]
        pulse.start()
        for _ in range(2):
            await asyncio.sleep(EVERY_S + 1.0)
            heard.append(pulse.heard)
        await pulse.stop()
        return heard

    answer = Look(EVERY_S + 0.25, 0.25)
    assert run_virtual(two_beats()) == [None, answer, answer]
