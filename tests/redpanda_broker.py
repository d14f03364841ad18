"""The tests' other broker: Redpanda in a container, where a Docker engine runs.

Asked for with `JIRAIYA_TEST_KAFKA=redpanda`; the image is the one of `docker-compose.yml`.
"""

import asyncio
import re
from pathlib import Path

COMPOSE = Path(__file__).parents[1] / "docker-compose.yml"


class RedpandaBroker:
    """The few methods of `EmbeddedKafka` that the shared broker needs."""

    def __init__(self) -> None:
        # Imported here: it asks Docker at import, and most runs have none.
        from testcontainers.community.kafka import RedpandaContainer  # noqa: PLC0415

        self._container = RedpandaContainer(image=image())

    @property
    def bootstrap_servers(self) -> str:
        """Return the address."""
        address: str = self._container.get_bootstrap_server()
        return address

    async def start(self) -> None:
        """Start the container; raises what testcontainers raises without Docker."""
        await asyncio.to_thread(self._container.start)

    async def stop(self) -> None:
        """Stop and remove it."""
        await asyncio.to_thread(self._container.stop)


def image() -> str:
    """Return the pinned image of the compose file."""
    found = re.search(r"image:\s*(\S*redpandadata/redpanda:\S+)", COMPOSE.read_text("utf-8"))
    assert found is not None, "docker-compose.yml names no Redpanda image"
    return found[1]
