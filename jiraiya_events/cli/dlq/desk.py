"""What every `dlq` command works with: the log of dead letters and what holds for replays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from jiraiya_events.adapters.kafka.dead_letters.log import KafkaDeadLetterLog, open_dead_letter_log
from jiraiya_events.bootstrap import contract_topics, kafka_connection
from jiraiya_events.ops.dead_letters.staying import ReplayRules
from jiraiya_events.ops.dead_letters.survey import rules_of
from jiraiya_events.settings import Settings


@dataclass(frozen=True, slots=True)
class Desk:
    """The open log, and which dead letters may be replayed."""

    log: KafkaDeadLetterLog
    rules: ReplayRules


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """Open it; raises `BrokerUnavailable`."""
    topics = contract_topics(settings)
    connection = kafka_connection(settings)
    async with open_dead_letter_log(connection, topics) as log:
        yield Desk(log, await rules_of(log, topics.requested, settings.engine.replay_cap))
