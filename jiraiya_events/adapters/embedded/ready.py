"""Is the broker ready? It is when its own Metadata answer lists it.

An open port says much less: another process may be the one that listens there, and a broker
that is not unfenced lists nobody.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded import wire

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from jiraiya_events.adapters.embedded.guarded import GuardedProcess

POLL_S = 0.03
_METADATA = 3
_VERSION = 1  # the oldest with a "no topics" form; every broker of the 4 line answers it


async def answered_or_exited(process: GuardedProcess, answer: Awaitable[None]) -> bool:
    """Wait until ``answer`` has come from ``process`` (true), or that has exited (false)."""
    answered = asyncio.ensure_future(answer)
    exited = asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait({answered, exited}, return_when=asyncio.FIRST_COMPLETED)
        # Whoever answered while our process was ending was not our process.
        return not exited.done()
    finally:
        for waiting in (answered, exited):
            waiting.cancel()
        await asyncio.gather(answered, exited, return_exceptions=True)


async def wait_until_listed(host: str, port: int) -> None:
    """Return as soon as the broker at ``host:port`` lists a broker there."""
    while not await _is_listed(host, port):  # noqa: ASYNC110 - the broker tells nobody by itself
        await asyncio.sleep(POLL_S)


async def _is_listed(host: str, port: int) -> bool:
    answer = await wire.ask(host, port, metadata_request())
    try:
        return answer is not None and (host, port) in brokers(answer)
    except (struct.error, UnicodeDecodeError):
        return False


def metadata_request() -> bytes:
    """Build a Metadata request, version 1, for no topic, with its length in front."""
    return wire.request(_METADATA, _VERSION, struct.pack(">i", 0))


def brokers(answer: bytes) -> list[tuple[str, int]]:
    """Read host and port of each broker out of a Metadata answer, version 1.

    Raises:
        struct.error: the answer is cut short or is no such answer.
    """
    correlation_id, count = struct.unpack_from(">ii", answer)
    if correlation_id != wire.CORRELATION_ID:
        return []
    found, at = [], 8
    for _ in range(count):
        _node_id, length = struct.unpack_from(">ih", answer, at)
        at += 6
        host = answer[at : at + length].decode()
        (port, rack_length) = struct.unpack_from(">ih", answer, at + length)
        at += length + 6 + max(rack_length, 0)
        found.append((host, port))
    return found
