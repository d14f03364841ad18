"""Is the broker ready? It is when its own Metadata answer lists it.

An open port says much less: the port opens before the broker is registered and unfenced,
and another process may be the one that listens there. The request is made by hand, so that
asking does not need the import of a whole client.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jiraiya_events.adapters.embedded.guarded import GuardedProcess

_METADATA = 3
_VERSION = 1  # the oldest with a "no topics" form; every broker of the 4 line answers it
_CORRELATION_ID = 1
_CLIENT_ID = b"jiraiya"
_LARGEST_ANSWER = 1 << 20
_POLL_S = 0.03
_ANSWER_TIMEOUT_S = 5.0


async def listed_or_exited(process: GuardedProcess, host: str, port: int) -> bool:
    """Wait until ``process`` answers as a broker (true), or has exited (false)."""
    listed = asyncio.ensure_future(wait_until_listed(host, port))
    exited = asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait({listed, exited}, return_when=asyncio.FIRST_COMPLETED)
        # Whoever answered while our process was ending was not our process.
        return not exited.done()
    finally:
        for waiting in (listed, exited):
            waiting.cancel()
        await asyncio.gather(listed, exited, return_exceptions=True)


async def wait_until_listed(host: str, port: int) -> None:
    """Return as soon as the broker at ``host:port`` lists a broker there."""
    while not await _ask(host, port):  # noqa: ASYNC110 - the broker tells nobody by itself
        await asyncio.sleep(_POLL_S)


async def _ask(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(metadata_request())
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                if not 0 < size <= _LARGEST_ANSWER:
                    return False
                return (host, port) in brokers(await reader.readexactly(size))
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError, struct.error, UnicodeDecodeError):
        return False


def metadata_request() -> bytes:
    """Build a Metadata request, version 1, for no topic, with its length in front."""
    header = struct.pack(">hhih", _METADATA, _VERSION, _CORRELATION_ID, len(_CLIENT_ID))
    body = header + _CLIENT_ID + struct.pack(">i", 0)
    return struct.pack(">i", len(body)) + body


def brokers(answer: bytes) -> list[tuple[str, int]]:
    """Read host and port of each broker out of a Metadata answer, version 1.

    Raises:
        struct.error: the answer is cut short or is no such answer.
    """
    correlation_id, count = struct.unpack_from(">ii", answer)
    if correlation_id != _CORRELATION_ID:
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
