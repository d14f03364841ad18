"""One call to a provider under its time limits: the request's deadline and withdrawal, and its own.

Cancelling the task closes the connection; so does whatever ends the scope here. See
`generation.withdrawal` for what may interleave.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.withdrawal import Withdrawal

T = TypeVar("T")


class Cut:
    """The deadline passed during the call, or the request was withdrawn; the call was closed."""


CUT = Cut()


async def bounded(
    call: Callable[[float], Awaitable[T]],
    *,
    left_s: float,
    timeout_s: float,
    withdrawal: Withdrawal,
) -> T | Fault | Cut:
    """Await `call(limit_s)` for as long as both limits, in seconds, allow."""
    limit_s = min(left_s, timeout_s)
    try:
        async with asyncio.timeout(limit_s) as scope:
            with withdrawal.cuts(scope):
                return await call(limit_s)
    except TimeoutError:
        fault = Fault(FaultKind.TIMEOUT)
        if withdrawal.message is not None:
            return CUT
    except CallFault as error:
        fault = error.fault
    # A silence that lasted until the deadline is the deadline's, whoever noticed it first.
    return CUT if fault.kind is FaultKind.TIMEOUT and left_s <= timeout_s else fault
