"""How a request ended, for metrics: never with anything that names a user or a request."""

from typing import NamedTuple


class Ending(NamedTuple):
    """The label a finished record carries into its commit."""

    outcome: str
    code: str = "none"
    overhead_s: float | None = None
    dead_lettered: bool = False
