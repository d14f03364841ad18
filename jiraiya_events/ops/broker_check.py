"""Is Kafka there: every address we start from, and every address the cluster gives us."""

import asyncio
from collections.abc import Sequence
from typing import Final

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.probe import (
    Reached,
    Unreached,
    probe_address,
    split_address,
)
from jiraiya_events.ops.findings import Finding, failed, ok, warning

BROKER: Final = "broker"

Address = tuple[str, int]


async def check_broker(connection: KafkaConnection) -> list[Finding]:
    """Return a line for each address that fails, or one line that all is well."""
    named = [split_address(address) for address in connection.bootstrap_servers.split(",")]
    answers = await _probe_all(connection, named)
    reached = [answer for answer in answers.values() if isinstance(answer, Reached)]
    if not reached:
        return [_finding(at, why) for at, why in answers.items() if isinstance(why, Unreached)]
    silent = [
        warning(BROKER, f"{_text(at)}: {why.reason}", why.mend)
        for at, why in answers.items()
        if isinstance(why, Unreached)
    ]
    given = [at for answer in reached for at in answer.brokers if at not in answers]
    later = await _probe_all(connection, given)
    lost = [_misled(at, why) for at, why in later.items() if isinstance(why, Unreached)]
    count = len({at for answer in reached for at in answer.brokers})
    well = f"{connection.bootstrap_servers} answers ({connection.security_protocol}), "
    brokers = f"{count} broker{'' if count == 1 else 's'} in the cluster"
    return [*silent, *lost] if lost else [ok(BROKER, well + brokers), *silent]


async def _probe_all(
    connection: KafkaConnection, addresses: Sequence[Address]
) -> dict[Address, Reached | Unreached]:
    wanted = list(dict.fromkeys(addresses))
    answers = await asyncio.gather(*(probe_address(connection, *at) for at in wanted))
    return dict(zip(wanted, answers, strict=True))


def _finding(at: Address, why: Unreached) -> Finding:
    place = _text(at)
    return failed(BROKER, why.reason if place in why.reason else f"{place}: {why.reason}", why.mend)


def _misled(at: Address, why: Unreached) -> Finding:
    """Explain the usual trap of a broker behind containers or a proxy."""
    return failed(
        BROKER,
        f"the cluster sends its clients to {_text(at)}, and from here: {why.reason}",
        "set the broker's advertised.listeners to an address this machine can reach",
    )


def _text(at: Address) -> str:
    host, port = at
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
