"""A fresh trace for a request whose sender has none (https://www.w3.org/TR/trace-context/)."""

import random
from typing import Final

_dice: Final = random.Random()  # noqa: S311 - ids of spans are no secret


def new_traceparent(*, sampled: bool) -> str:
    """Return a `traceparent` that begins a trace."""
    trace, span = (_dice.getrandbits(bits) or 1 for bits in (128, 64))
    return f"00-{trace:032x}-{span:016x}-{'01' if sampled else '00'}"
