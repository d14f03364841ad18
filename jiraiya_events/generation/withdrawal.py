"""The withdrawal of one request, and how it cuts the model call that may be under way for it.

A worker's task runs many records, so the task is never cancelled for one of them. What is cut is
the call's own `asyncio.timeout`, by bringing it forward to now. Why that hits this call and
nothing else, with everything on one event loop:

- The scope is known here only while its task waits inside it, which is the only time `withdraw`
  can run. A call that returns before the scope's timer does takes the timer away with it: its
  answer is paid and stays. One that arrives in the very same turn of the loop may be lost; its
  bill is then unknown, as for every call that is cut.
- The scope cancels its task once and, at its end, takes exactly that one back and raises
  `TimeoutError`. If the task was also cancelled from outside (the service stops), before or
  after, the count is higher than at the scope's start, and the `CancelledError` goes on.
- The call's own limit may have come first: an expired scope is left alone.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Withdrawal:
    """Not there yet, until `withdraw`; then for good."""

    __slots__ = ("_call", "message")

    def __init__(self) -> None:
        self.message: str | None = None
        """What the requester is told; None while the request stands."""
        self._call: asyncio.Timeout | None = None

    def withdraw(self, message: str) -> None:
        """Withdraw the request and cut its call, if there is one; a second time does nothing."""
        if self.message is not None:
            return
        self.message = message
        if self._call is not None and not self._call.expired():
            self._call.reschedule(asyncio.get_running_loop().time())

    @contextmanager
    def cuts(self, call: asyncio.Timeout) -> Iterator[None]:
        """Cut this scope, entered already, should the withdrawal come while inside."""
        self._call = call
        try:
            yield
        finally:
            self._call = None
