"""What the embedded Kafka raises.

::

    Exception
    └── EmbeddedKafkaError        one line for people: what is wrong, what to do
        └── PortTakenError        somebody else listens on the wanted port
"""


class EmbeddedKafkaError(Exception):
    """The embedded broker cannot run; the message says why and what to do next."""


class PortTakenError(EmbeddedKafkaError):
    """The broker could not listen because another process has the port."""

    def __init__(self, port: int) -> None:
        """Name the port in the message."""
        super().__init__(
            f"Port {port} on 127.0.0.1 is taken by another process: stop it, or choose "
            "another port (0 picks a free one)."
        )
