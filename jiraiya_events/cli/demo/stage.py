"""What the demo starts, in order, and ends again in reverse: Kafka, the model, the service."""

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from pydantic import SecretStr

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions
from jiraiya_events.adapters.standin.server import serve_standin
from jiraiya_events.bootstrap import Service, build_service
from jiraiya_events.cli.demo.view import Places
from jiraiya_events.settings import Settings, load_settings
from jiraiya_events.settings.kafka import Kafka, Topics
from jiraiya_events.settings.llm import Llm, Price
from jiraiya_events.settings.store import Store
from jiraiya_events.settings.watching import Http

Progress = Callable[[str, int, int], None]

HOST = "127.0.0.1"
STANDIN_MODEL = "stand-in"
NO_KEY = SecretStr("none-needed")


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
        if _has_model(given):
            llm, model = _with_some_key(given.llm), _described(given.llm)
        else:
            llm = _standin(await exit_.enter_async_context(serve_standin()))
            model = "a stand-in, no AI (set OPENAI_API_KEY for a real one)"
        settings = _on_this_machine(given, kafka.bootstrap_servers, folder, llm)
        service = build_service(settings)
        exit_.push_async_callback(service.stop)
        await service.start()
        tell("Starting the service", 1, 1)
        sidecar = f"http://{HOST}:{service.sidecar_port}"
        yield Stage(settings, service, Places(kafka.bootstrap_servers, sidecar, model))


def _has_model(settings: Settings) -> bool:
    return settings.llm.api_key is not None or settings.llm.base_url is not None


def _with_some_key(llm: Llm) -> Llm:
    """Return the same with a key: an endpoint of one's own often asks for none."""
    return llm.model_copy(update={"api_key": llm.api_key or NO_KEY})


def _standin(base_url: str) -> Llm:
    free = Price(input=Decimal(0), output=Decimal(0))
    return Llm(api_key=NO_KEY, base_url=base_url, model=STANDIN_MODEL, prices={STANDIN_MODEL: free})


def _described(llm: Llm) -> str:
    """Name the model and where it is; an address may hold more than may be shown."""
    host = urlsplit(llm.base_url).hostname if llm.base_url else "OpenAI"
    return f"{llm.model} at {host}"


def _on_this_machine(given: Settings, bootstrap: str, folder: Path, llm: Llm) -> Settings:
    """Return the user's settings with a Kafka and files of the demo's own.

    Whole groups are replaced, so that credentials for the user's Kafka, wherever they are set,
    do not meet the demo's, which asks for none.
    """
    port = given.http.port
    mine = {
        "env": "dev",
        "data_dir": folder,
        "kafka": Kafka(bootstrap_servers=(bootstrap,)),
        "topics": Topics(),
        "llm": llm,
        "store": Store(url=f"sqlite:///{folder / 'outcomes.db'}"),
        "http": Http(host=HOST, port=port if _is_free(port) else 0),
    }
    return given.model_copy(update=mine)


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((HOST, port)):
            return True
    except OSError:
        return False
