"""Why a broker does not answer: the layers one by one, since aiokafka calls it all the same.

Name, TCP, TLS, SASL, the Kafka protocol, and at last the addresses the cluster gives out.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import errors
from aiokafka.conn import create_conn
from aiokafka.protocol.metadata import MetadataRequest

from jiraiya_events.adapters.kafka.admin import silent_library
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.domain.errors import SettingsError

PROBE_TIMEOUT_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Reached:
    """A broker answered; `brokers` are the (host, port) the cluster tells its clients to use."""

    brokers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unreached:
    """It did not: why, in words, and what to do."""

    reason: str
    mend: str


async def probe_address(connection: KafkaConnection, host: str, port: int) -> Reached | Unreached:
    """Ask one broker for the cluster's addresses; never raises for a broker that is away."""
    try:
        options = connection.client_options()
    except SettingsError as error:
        return Unreached(
            f"the TLS files cannot be used: {error.__cause__}",
            "check JIRAIYA_KAFKA__SSL_CAFILE, SSL_CERTFILE and SSL_KEYFILE: they must be PEM",
        )
    options.pop("bootstrap_servers")
    refusal = await _refused(host, port)
    if refusal is not None:
        return refusal
    try:
        with silent_library():
            return await _ask(options, host, port)
    except (errors.KafkaError, OSError, TimeoutError, EOFError) as error:
        return _explain(error, connection)


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of `host:port`; an IPv6 host stands in brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


async def _refused(host: str, port: int) -> Unreached | None:
    """Try name and TCP alone."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_MS / 1000):
            _, writer = await asyncio.open_connection(host, port)
    except socket.gaierror:
        return Unreached(
            f"the name {host} cannot be resolved",
            "check the spelling in JIRAIYA_KAFKA__BOOTSTRAP_SERVERS, and this machine's DNS",
        )
    except ConnectionRefusedError:
        return Unreached(
            f"nothing listens on {host}:{port}",
            "start the broker (`jiraiya broker` starts one here), or correct "
            "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS",
        )
    except TimeoutError:
        return Unreached(
            f"{host}:{port} does not react within {PROBE_TIMEOUT_MS // 1000} s",
            "a firewall or a wrong address: check both",
        )
    except OSError as error:
        return Unreached(f"{host}:{port}: {error.strerror or error}", "check address and network")
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return None


async def _ask(options: dict[str, Any], host: str, port: int) -> Reached:
    conn = await create_conn(host, port, request_timeout_ms=PROBE_TIMEOUT_MS, **options)
    try:
        answer = await conn.send(MetadataRequest([]))
    finally:
        conn.close()
    brokers = answer.to_object()["brokers"]
    return Reached(tuple((broker["host"], broker["port"]) for broker in brokers))


def _explain(error: BaseException, connection: KafkaConnection) -> Unreached:
    protocol = connection.security_protocol
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreached(
            f"its TLS certificate is not trusted: {error.verify_message}",
            "set JIRAIYA_KAFKA__SSL_CAFILE to the CA that signed it, and use the name it is for",
        )
    if isinstance(error, ssl.SSLError):
        return Unreached(
            f"the TLS handshake failed ({error.reason or error})",
            f"does this port speak TLS? JIRAIYA_KAFKA__SECURITY_PROTOCOL is {protocol}; "
            "a broker may also want a client certificate (JIRAIYA_KAFKA__SSL_CERTFILE)",
        )
    if isinstance(error, errors.UnsupportedSaslMechanismError):
        return Unreached(
            f"it does not know the SASL mechanism {connection.sasl_mechanism}",
            f"choose another JIRAIYA_KAFKA__SASL_MECHANISM: {_mechanisms(error)}",
        )
    if isinstance(error, errors.SaslAuthenticationFailed | errors.AuthenticationFailedError):
        return Unreached(
            f"it refuses the credentials of user {connection.sasl_username!r}",
            "check JIRAIYA_KAFKA__SASL_USERNAME, SASL_PASSWORD and SASL_MECHANISM",
        )
    if isinstance(error, errors.IllegalSaslStateError):
        return Unreached(
            "it does not ask for credentials",
            f"JIRAIYA_KAFKA__SECURITY_PROTOCOL is {protocol}: use it without SASL_",
        )
    return Unreached(
        f"it takes the connection and then does not speak Kafka with us as {protocol}",
        "the usual reason is another JIRAIYA_KAFKA__SECURITY_PROTOCOL on that port "
        "(SSL, SASL_SSL, SASL_PLAINTEXT)",
    )


def _mechanisms(error: Exception) -> str:
    _, _, offered = str(error).partition("mechanisms are: ")
    return offered or "ask whoever runs the broker"
