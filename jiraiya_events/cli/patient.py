"""From settings to what `jiraiya doctor` examines."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from jiraiya_events.adapters.llm.options import OPENAI_HOST, LlmOptions
from jiraiya_events.adapters.store.open_store import open_store
from jiraiya_events.bootstrap import contract_topics, kafka_connection
from jiraiya_events.cli.topics_commands import wanted_topics
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.ops.doctor import Patient
from jiraiya_events.ops.model_check import NO_KEY
from jiraiya_events.settings import Settings


async def patient_of(settings: Settings, stack: AsyncExitStack) -> Patient:
    """Return what is to be examined; `stack` closes what was opened for it."""
    store = open_store(settings.store.url, settings.store.ttl_s)
    stack.push_async_callback(store.aclose)
    return Patient(
        connection=kafka_connection(settings),
        group=settings.kafka.group_id,
        topics=contract_topics(settings),
        specs=wanted_topics(settings),
        creates_topics=settings.topics.auto_create,
        store=store,
        store_place=settings.store.url.partition("?")[0],
        model=settings.llm.model,
        model_place=_place(settings.llm.base_url),
        probe_model=_probe(settings),
    )


def _probe(settings: Settings) -> Callable[[], Awaitable[str]]:
    llm = settings.llm
    options = LlmOptions(api_key=llm.api_key, model=llm.model, base_url=llm.base_url)

    async def probe() -> str:
        try:
            options.key()
        except SettingsError:
            return NO_KEY
        # LangChain takes seconds to import; the loop goes on meanwhile.
        module = await asyncio.to_thread(
            importlib.import_module, "jiraiya_events.adapters.llm.chat_model"
        )
        model = module.ChatModel(options)
        try:
            answer: str = await model.probe()
        finally:
            await model.aclose()
        return answer

    return probe


def _place(base_url: str | None) -> str:
    """Return the endpoint's host; an address may hold credentials."""
    if base_url is None:
        return OPENAI_HOST
    parts = urlsplit(base_url)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or "the endpoint"
