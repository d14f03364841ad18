"""The journal while the service runs, and a line for each process that ended in the midst of it."""

from collections.abc import Callable
from contextlib import AsyncExitStack

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
        _say(death)
    if journal.wary:
        log.warning("requests that may have crashed this service run alone from now on")


def _say(death: Death) -> None:
    if death.end is End.CRASHED:
        log.error(
            "an earlier process of this service crashed",
            in_flight=len(death.running),
            note=death.note or "none: killed for want of memory, or the machine cannot tell",
        )
    else:
        log.warning(
            "an earlier process of this service was killed, or its machine went down",
            in_flight=len(death.running),
        )
