"""Static membership: which of two processes under one `group.instance.id` is to end. Pure.

With an instance id (KIP-345) a member keeps its partitions over a restart: whoever joins under the
id takes the place of who was there. Two living processes throw each other out for ever: each is
told at its next heartbeat that it is unknown, joins again, and so replaces the other. The client
library takes that for a session that ran out.

So a member that is thrown out long before a session *could* have run out (45 s) is the one that
came later: it ends, without joining again, and the other goes on. One that is older joins again;
but three times within a minute is no expired session either (both may be old: one of them was
frozen).
"""

from collections import deque
from typing import Final

YOUNG_S: Final = 15.0
"""A newcomer is thrown out by two heartbeats (3 s): that of who it replaced, and its own."""

TIMES: Final = 3
WITHIN_S: Final = 60.0


class Tenure:
    """How long this process has been a member, and when it was thrown out; seconds of any clock."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._thrown_out: deque[float] = deque(maxlen=TIMES)

    def joined(self, now_s: float) -> None:
        """Note an assignment; the first one counts."""
        if self._since_s is None:
            self._since_s = now_s

    def is_over(self, now_s: float) -> bool:
        """Note that the group does not know us any more; tell whether to end."""
        if self._since_s is None:
            return False
        self._thrown_out.append(now_s)
        again_and_again = len(self._thrown_out) == TIMES and now_s - self._thrown_out[0] <= WITHIN_S
        return again_and_again or now_s - self._since_s < YOUNG_S
