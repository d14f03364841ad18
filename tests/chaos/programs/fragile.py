"""`jiraiya serve` with a handler that takes the whole process down for certain keywords.

The three ways a record does that: an abort, a segmentation fault, a C stack that is full.
"""

import ctypes
import os
import sys

from jiraiya_events.cli.app import main
from jiraiya_events.engine.verdicts import Verdict, Work
from jiraiya_events.handlers.story_handler import StoryHandler
from tests.chaos.programs.hasty import hasten

handle = StoryHandler.handle


async def fragile(handler: StoryHandler, work: Work) -> Verdict:
    """Crash, or do as ever."""
    value = work.record.value or b""
    if b"die-aborting" in value:
        os.abort()
    if b"die-reading" in value:
        ctypes.string_at(0)
    if b"die-recursing" in value:
        fill_the_stack()
    return await handle(handler, work)


def fill_the_stack() -> None:
    """Recurse in C, where Python's own limit does not see it."""
    nested = ctypes.CFUNCTYPE(None)
    sys.setrecursionlimit(10**9)

    def deeper() -> None:
        nested(deeper)()

    deeper()


if __name__ == "__main__":
    StoryHandler.handle = fragile  # type: ignore[assignment,method-assign]
    hasten()
    main()
