"""Taking a broker that crashed out of its cluster, before it starts again.

The cluster's metadata still says that the dead broker is alive and leads every partition. A
broker that starts on it believes that too until the dead one's session expires: it loads the
transactions that were being completed, cannot write their markers yet, and when the controller
takes the leadership away Kafka 4.4 takes the partitions for deleted. On a busy machine it can
then still note such a transaction as completed, which has no marker and never gets one, and
whoever reads committed records waits at that offset for good.

So the controller is started alone first and asked to forget the broker. The one that starts
then leads nothing before it is registered anew, and has no session to wait for.
"""

from __future__ import annotations

import asyncio
import struct

from jiraiya_events.adapters.embedded import wire
from jiraiya_events.adapters.embedded.data_dir import NODE_ID
from jiraiya_events.adapters.embedded.ready import POLL_S

_UNREGISTER_BROKER = 64
_VERSION = 0
_NO_TAGS = b"\0"
_DONE = 0
_NOT_REGISTERED = 102  # it crashed before it had got that far, or after we had asked


async def wait_until_unregistered(host: str, port: int) -> None:
    """Return as soon as the controller at ``host:port`` has no registration of our broker."""
    while not await _is_unregistered(host, port):  # noqa: ASYNC110 - it has to be asked
        await asyncio.sleep(POLL_S)


async def _is_unregistered(host: str, port: int) -> bool:
    answer = await wire.ask(host, port, unregister_request())
    try:
        return answer is not None and error_code(answer) in {_DONE, _NOT_REGISTERED}
    except struct.error:
        return False


def unregister_request() -> bytes:
    """Build an UnregisterBroker request, version 0, with its length in front."""
    body = _NO_TAGS + struct.pack(">i", NODE_ID) + _NO_TAGS
    return wire.request(_UNREGISTER_BROKER, _VERSION, body)


def error_code(answer: bytes) -> int | None:
    """Read the error code out of an UnregisterBroker answer; ``None`` for another request's.

    Raises:
        struct.error: the answer is cut short.
    """
    correlation_id, _tags, _throttle_ms, code = struct.unpack_from(">iBih", answer)
    return int(code) if correlation_id == wire.CORRELATION_ID else None
