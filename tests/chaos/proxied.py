"""A broker that the services reach through a network that can fail, and everybody else directly."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions
from tests.blackbox.service import free_port
from tests.blackbox.tcp_proxy import HOST, TcpProxy


@dataclass(frozen=True, slots=True)
class Proxied:
    """`direct` is for the examiner, `through` for the services."""

    direct: str
    through: str
    network: TcpProxy


@asynccontextmanager
async def proxied_kafka() -> AsyncIterator[Proxied]:
    """Give a broker with a second listener whose advertised address is the proxy's."""
    plain, behind, controller, proxy = (free_port() for _ in range(4))
    properties = {
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "listeners": f"PLAINTEXT://{HOST}:{plain},PROXIED://{HOST}:{behind},"
        f"CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{plain},PROXIED://{HOST}:{proxy}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,"
        "CONTROLLER:PLAINTEXT",
    }
    options = EmbeddedKafkaOptions(port=plain, properties=properties, train_startup_cache=False)
    async with EmbeddedKafka(options) as kafka:
        with TcpProxy(proxy, behind) as network:
            yield Proxied(kafka.bootstrap_servers, f"{HOST}:{proxy}", network)
