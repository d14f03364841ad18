"""One request in Kafka's protocol, made by hand: asking needs no import of a whole client."""

from __future__ import annotations

import asyncio
import struct

CORRELATION_ID = 1
_CLIENT_ID = b"jiraiya"
_LARGEST_ANSWER = 1 << 20
_TIMEOUT_S = 5.0


def request(api: int, version: int, body: bytes) -> bytes:
    """Put header and length before ``body``; a flexible version's own tags are part of it."""
    header = struct.pack(">hhih", api, version, CORRELATION_ID, len(_CLIENT_ID)) + _CLIENT_ID
    return struct.pack(">i", len(header) + len(body)) + header + body


async def ask(host: str, port: int, question: bytes) -> bytes | None:
    """Send a `request`; return the answer without its length, ``None`` when there is none."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                return await reader.readexactly(size) if 0 < size <= _LARGEST_ANSWER else None
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError):
        return None
