"""From settings to what `jiraiya doctor` examines."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from jiraiya_events.adapters.llm.deferred import DeferredModel, DeferredModeration
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.adapters.store.open_store import open_stores
from jiraiya_events.bootstrap import contract_topics, kafka_connection
from jiraiya_events.bootstrap.options import llm_options
from jiraiya_events.cli.topics_commands import wanted_topics
from jiraiya_events.generation.safety.moderation import Moderation
from jiraiya_events.ops.doctor import Patient
from jiraiya_events.ops.model_check import TriedModel
from jiraiya_events.settings import Settings
from jiraiya_events.settings.variables import shown_address


async def patient_of(settings: Settings, stack: AsyncExitStack) -> Patient:
    """Return what is to be examined; `stack` closes what was opened for it."""
    kept = settings.store
    stores = open_stores(kept.url, kept.ttl_s, kept.response_cache_s)
    stack.push_async_callback(stores.aclose)
    llm = llm_options(settings)
    moderated = settings.safety.moderation == "openai"
    return Patient(
        connection=kafka_connection(settings),
        group=settings.kafka.group_id,
        topics=contract_topics(settings),
        specs=wanted_topics(settings),
        creates_topics=settings.topics.auto_create,
        store=stores.results,
        store_place=shown_address(kept.url),
        llm=llm,
        open_model=partial(_opened, llm),
        open_moderation=partial(_moderation, llm) if moderated else None,
    )


@asynccontextmanager
async def _opened(options: LlmOptions) -> AsyncIterator[TriedModel]:
    """Yield the model; LangChain takes seconds to import, the loop goes on meanwhile."""
    model = DeferredModel(options)
    await model.load()
    try:
        yield model
    finally:
        await model.aclose()


@asynccontextmanager
async def _moderation(options: LlmOptions) -> AsyncIterator[Moderation]:
    """Yield the provider's moderation."""
    moderation = DeferredModeration(options)
    await moderation.load()
    try:
        yield moderation
    finally:
        await moderation.aclose()
