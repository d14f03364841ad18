"""The examination of everything around the service, from the outside in."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.topics import TopicSpec
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.errors import JiraiyaError
from jiraiya_events.generation.result_store import ResultStore
from jiraiya_events.ops.authorization_check import AUTHORIZATION, check_authorization
from jiraiya_events.ops.broker_check import BROKER, check_broker
from jiraiya_events.ops.findings import Finding, Verdict, failed, skipped
from jiraiya_events.ops.model_check import MODEL, OpenModel, check_models
from jiraiya_events.ops.moderation_check import MODERATION, OpenModeration, check_moderation
from jiraiya_events.ops.store_check import STORE, check_store
from jiraiya_events.ops.topics_check import TOPICS, check_topics

_LOOK: Final = "look at the line above, or set JIRAIYA_LOG__LEVEL=DEBUG and try again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined."""

    connection: KafkaConnection
    group: str
    topics: Topics
    specs: Sequence[TopicSpec]
    creates_topics: bool
    store: ResultStore
    store_place: str
    llm: LlmOptions
    open_model: OpenModel
    open_moderation: OpenModeration | None


async def examine(patient: Patient) -> AsyncIterator[Finding]:
    """Yield the findings as they are made; a check that cannot run says so."""
    reachable = True
    async for finding in _guarded(BROKER, check_broker(patient.connection)):
        reachable = reachable and finding.verdict is not Verdict.FAILED
        yield finding
    if reachable:
        rights = check_authorization(patient.connection, patient.group, patient.topics)
        async for finding in _guarded(AUTHORIZATION, rights):
            yield finding
        topics = check_topics(
            patient.connection,
            patient.specs,
            patient.topics.optional,
            created_at_start=patient.creates_topics,
        )
        async for finding in _guarded(TOPICS, topics):
            yield finding
    else:
        yield skipped(AUTHORIZATION, "not asked: no broker")
        yield skipped(TOPICS, "not asked: no broker")
    async for finding in _guarded(STORE, check_store(patient.store, patient.store_place)):
        yield finding
    models = check_models(patient.llm, patient.open_model)
    async for finding in _guarded(MODEL, models):
        yield finding
    async for finding in _guarded(MODERATION, check_moderation(patient.open_moderation)):
        yield finding


async def _guarded(subject: str, check: Awaitable[list[Finding]]) -> AsyncIterator[Finding]:
    try:
        findings = await check
    except (JiraiyaError, OSError, TimeoutError) as error:
        findings = [failed(subject, str(error) or type(error).__name__, _LOOK)]
    for finding in findings:
        yield finding
