"""Reading a streamed answer to its end, telling its text on the way.

Cancelling the reader closes the connection: nothing is awaited here but the next piece, so the
cancellation arrives in the HTTP client, which drops a response that was not read to its end.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from langchain_core.messages import AIMessageChunk

from jiraiya_events.adapters.llm.answers import Pieces
from jiraiya_events.generation.deltas import ContentDeltas
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind


async def read_stream(
    chunks: AsyncIterator[AIMessageChunk],
    deltas: ContentDeltas,
    on_text: Callable[[str], None],
    silence_s: float,
    fault_of: Callable[[Exception, str], Fault],
) -> Pieces:
    """Return all pieces; no silence between two of them may last longer than `silence_s`.

    The connection has such a limit too, but a proxy's keep-alive comments would satisfy it.
    Raises what the client raises before the first piece, and `CallFault` after it; `fault_of` is
    given the error and the text so far, which must not show in the fault.
    """
    pieces = Pieces()
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(silence_s) as silence:
            async for chunk in chunks:
                silence.reschedule(now() + silence_s)
                delta = deltas.feed(pieces.add(chunk))
                if delta:
                    on_text(delta)
    except Exception as error:
        if not pieces.begun:
            raise
        raise CallFault(_cut(fault_of(error, pieces.text))) from None
    if not pieces.ended:
        raise CallFault(Fault(FaultKind.CUT_STREAM, detail="no finish reason"))
    return pieces


def _cut(fault: Fault) -> Fault:
    """Return a connection that broke in the middle as what it is; other faults as they are."""
    if fault.kind is not FaultKind.DROPPED:
        return fault
    return Fault(FaultKind.CUT_STREAM, detail=fault.detail)
