"""A broker that asks for credentials over TLS: the service gets in with them, and only then."""

import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions
from jiraiya_events.adapters.kafka.admin import cluster_client
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.writer import KafkaWriters
from jiraiya_events.domain.errors import BrokerUnavailable
from jiraiya_events.engine.records import Committed, Partition
from tests.blackbox.service import free_port

USER = "jiraiya"
WORD = "made-up-for-a-test"
JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a self-signed certificate for 127.0.0.1 and a PEM with certificate and key."""
    key, certificate, both = (folder / name for name in ("key.pem", "cert.pem", "both.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",  # noqa: S607
         "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return certificate, both


@pytest_asyncio.fixture
async def secured(tmp_path: Path) -> AsyncIterator[KafkaConnection]:
    """Return how to reach a broker that speaks SASL_SSL on its second listener."""
    certificate, both = make_certificate(tmp_path)
    plain, safe, controller = free_port(), free_port(), free_port()
    properties = {
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{plain},SAFE://127.0.0.1:{safe},"
        f"CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{plain},SAFE://127.0.0.1:{safe}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SAFE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.safe.plain.sasl.jaas.config": f'{JAAS} user_{USER}="{WORD}";',
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(both),
    }
    options = EmbeddedKafkaOptions(port=plain, properties=properties, train_startup_cache=False)
    async with EmbeddedKafka(options):
        yield KafkaConnection(
            bootstrap_servers=f"127.0.0.1:{safe}",
            security_protocol="SASL_SSL",
            sasl_mechanism="PLAIN",
            sasl_username=USER,
            sasl_password=WORD,
            ssl_cafile=str(certificate),
        )


async def test_credentials_over_tls_open_every_door_and_wrong_ones_none(
    secured: KafkaConnection,
) -> None:
    """Clients and transactional writers connect; a wrong password is refused in words."""
    async with cluster_client(secured) as client:
        assert client.cluster.brokers()
    writer = KafkaWriters(secured, "secured")(Partition("nowhere", 0))
    assert await writer.open() == Committed(None)
    await writer.close()
    wrong = replace(secured, sasl_password="wrong")
    with pytest.raises(BrokerUnavailable) as caught:
        async with cluster_client(wrong):
            pass
    assert WORD not in str(caught.value)
    assert WORD not in repr(secured)
