"""Finding a port to listen on."""

from __future__ import annotations

import random
import socket
import sys

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError

HOST = "127.0.0.1"

# Below every system's ephemeral range (Linux starts at 32768). A port from that range can
# become the source port of a client that keeps reconnecting to a broker which is just being
# restarted: the client then connects to itself, and the broker can no longer bind.
_CANDIDATES = range(20_000, 30_000)
# For a controller that is started alone. It is asked to forget its broker: should somebody else
# snatch the port and answer instead, then it must not be a cluster that is in use.
CONTROLLERS_ALONE = range(30_000, 32_000)
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether nobody listens on ``port`` of the loopback interface right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            # As the JVM does it, so that connections in TIME_WAIT do not count as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port(besides: int = 0, among: range = _CANDIDATES) -> int:
    """Pick a port that is free now; it may be taken before the caller listens on it."""
    for port in random.sample(among, _TRIES):
        if port != besides and is_free(port):
            return port
    message = (
        f"No free port between {among.start} and {among.stop - 1} "
        "on 127.0.0.1: name one with the port option."
    )
    raise EmbeddedKafkaError(message)
