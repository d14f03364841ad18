"""What the demo starts, in order, and ends again in reverse: Kafka, the model, the service."""

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions
from jiraiya_events.adapters.standin.server import serve_standin
from jiraiya_events.bootstrap import Service, build_service
from jiraiya_events.cli.demo.view import Places
from jiraiya_events.settings import Settings, load_settings

Progress = Callable[[str, int, int], None]

STANDIN_MODEL = "stand-in"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything is running."""

    settings: Settings
    service: Service
    places: Places


@asynccontextmanager
async def stage(environ: Mapping[str, str], tell: Progress) -> AsyncIterator[Stage]:
    """Start it all for one demo; nothing is left running, and no file, when it ends.

    Raises `EmbeddedKafkaError`, `ServiceError`, `SettingsError`.
    """
    given = load_settings(environ)
    async with AsyncExitStack() as exit_:
        folder = Path(exit_.enter_context(TemporaryDirectory(prefix="jiraiya-demo-")))
        options = EmbeddedKafkaOptions(repository_url=given.broker.repository_url)
        kafka = await exit_.enter_async_context(EmbeddedKafka(options, on_progress=tell))
        tell("Starting the service", 0, 1)
        chosen = dict(environ) | _environment(given, kafka.bootstrap_servers, folder)
        model = given.llm.model
        if not _has_model(given):
            chosen |= {
                "JIRAIYA_LLM__BASE_URL": await exit_.enter_async_context(serve_standin()),
                "JIRAIYA_LLM__API_KEY": "none-needed",
                "JIRAIYA_LLM__MODEL": STANDIN_MODEL,
                "JIRAIYA_LLM__PRICES": '{"stand-in": {"input": "0", "output": "0"}}',
            }
            model = "a stand-in, no AI (set OPENAI_API_KEY for a real one)"
        settings = load_settings(chosen)
        service = build_service(settings)
        exit_.push_async_callback(service.stop)
        await service.start()
        tell("Starting the service", 1, 1)
        sidecar = f"http://127.0.0.1:{service.sidecar_port}"
        yield Stage(settings, service, Places(kafka.bootstrap_servers, sidecar, model))


def _has_model(settings: Settings) -> bool:
    return settings.llm.api_key is not None or settings.llm.base_url is not None


def _environment(given: Settings, bootstrap: str, folder: Path) -> dict[str, str]:
    """Return what the demo sets whatever the user has: a Kafka and files of its own."""
    port = given.http.port
    return {
        "JIRAIYA_ENV": "dev",
        "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "JIRAIYA_KAFKA__SECURITY_PROTOCOL": "PLAINTEXT",
        "JIRAIYA_DATA_DIR": str(folder),
        "JIRAIYA_STORE__URL": f"sqlite:///{folder / 'outcomes.db'}",
        "JIRAIYA_TOPICS__AUTO_CREATE": "true",
        "JIRAIYA_HTTP__HOST": "127.0.0.1",
        "JIRAIYA_HTTP__PORT": str(port if _is_free(port) else _free_port()),
    }


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
