"""A record without its key, which its topic finds too large: the headers that say so."""

from hashlib import sha256
from typing import Final

DROPPED_KEY: Final = ("x-key-dropped", "x-key-size", "x-key-sha256")
"""On outputs; a dead letter has them as `x-dlq-key-dropped` and so on."""


def dropped_key_headers(key: bytes | None, prefix: str = "x-") -> tuple[tuple[str, bytes], ...]:
    """Return what is added to an output whose key is left out; the size is in bytes."""
    whole = key or b""
    return (
        (f"{prefix}key-dropped", b"true"),
        (f"{prefix}key-size", b"%d" % len(whole)),
        (f"{prefix}key-sha256", sha256(whole).hexdigest().encode()),
    )
