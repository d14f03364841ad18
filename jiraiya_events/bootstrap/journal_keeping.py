"""The journal while the service runs, and a line about processes that ended in the midst of it."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog

from jiraiya_events.adapters.journal import Death, FileJournal
from jiraiya_events.adapters.journal.layout import End
from jiraiya_events.adapters.journal.machine import note_crashes

log = structlog.get_logger(__name__)


async def keep_journal(
    journal: FileJournal, until: AsyncExitStack, cut_by_crash: Callable[[int], None]
) -> None:
    """Take notes until the end of `until`; a folder that cannot be written to stops nothing.

    `cut_by_crash` is told how many requests were at work at each death nobody has seen before.
    """
    try:
        deaths = await journal.open()
        until.callback(journal.close)
        until.callback(note_crashes(journal.crash_note))
    except OSError as error:
        log.warning(
            "no notes of what runs can be kept in the data directory: a request that crashes the "
            "process would not be found out",
            error=str(error),
        )
        return
    for death in deaths:
        cut_by_crash(len(death.running))
    _say([death for death in deaths if death.end is End.CRASHED], _CRASHED)
    _say([death for death in deaths if death.end is not End.CRASHED], _KILLED)
    if journal.wary:
        log.warning("requests that may have crashed this service run alone from now on")


_CRASHED: Final = "an earlier process of this service crashed"
_KILLED: Final = "an earlier process of this service was killed, or its machine went down"
_NO_NOTE: Final = "none: killed for want of memory, or the machine cannot tell"


def _say(deaths: Sequence[Death], how: str) -> None:
    """Write one line for all: a second one alike would be held back as a repetition."""
    if not deaths:
        return
    facts: dict[str, object] = {
        "processes": len(deaths),
        "in_flight": sum(len(death.running) for death in deaths),
    }
    notes = (death.note for death in deaths)
    if how is _CRASHED:
        log.error(how, **facts, note="\n".join(filter(None, notes)) or _NO_NOTE)
    else:
        log.warning(how, **facts)
