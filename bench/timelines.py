"""What of a story's time was the service's and what the model's; no clock and no Kafka in here.

A moment is in seconds since the Unix epoch.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Timeline(NamedTuple):
    """Moments of one request, in the order in which they come."""

    requested: float
    """The timestamp of its record."""
    arrived: float
    """The endpoint has read its model call."""
    answered: float
    """The endpoint has the answer, and begins to send it."""
    ready: float
    """The time of its terminal event, which waits for its transaction from now on."""
    visible: float
    """A `read_committed` consumer has read it."""

    @property
    def before(self) -> float:
        """Seconds until the model was reached."""
        return self.arrived - self.requested

    @property
    def afterwards(self) -> float:
        """Seconds from the model's answer to the terminal event."""
        return self.ready - self.answered

    @property
    def ours(self) -> float:
        """Seconds that were not the model's, without the commit."""
        return self.before + self.afterwards

    @property
    def ours_committed(self) -> float:
        """Seconds that were not the model's, the commit and what waits for it included."""
        return self.before + self.visible - self.answered


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (above 0, up to 1) of all values do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def mean_in_flight(timelines: Sequence[Timeline]) -> float:
    """Return how many calls were with the endpoint, averaged from the first one to the last."""
    seconds = timelines[-1].arrived - timelines[0].arrived
    return sum(one.answered - one.arrived for one in timelines) / seconds
