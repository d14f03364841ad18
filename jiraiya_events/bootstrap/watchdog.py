"""Is work that could move not moving? Pure: looks come with their time, verdicts go out.

Every look names the *runnable* work there is at that moment, each with a mark that changes
whenever it moves. Work that is named in look after look with the same mark, for longer than it may
take, is stuck: that is a bug of ours or of a library, and a restart is the remedy. Whatever has a
reason to stand still (idle, a breaker open, a retry's back-off, a drain, a broker that is away, a
right that is missing) is not named, or excuses the whole look.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from jiraiya_events.adapters.kafka.log_watch import Unread
from jiraiya_events.bootstrap.activity import Activity
from jiraiya_events.engine.engine import LOOP_FAILED
from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.statistics import SessionStatistics, Statistics

START_S: Final = 30.0
"""A lane that is ready gets a free slot at once; one that is to run alone, once no other runs."""

COMMIT_S: Final = 90.0
"""A transaction and the new writer after it are bounded by 30, 5 and 20 s, waits aside."""

READ_S: Final = 60.0
"""After an error the reader waits for 5 s."""

ASSIGN_S: Final = 120.0
"""The group waits for a member that does not answer for 30 s; several may do so in a row."""

OVER_CALL_S: Final = 120.0
"""What a handler may take beyond the model call it makes, which has a time-out of its own."""

BLINK_S: Final = 15.0
"""A longer pause between looks means that the process slept: everything is seen afresh."""


@dataclass(frozen=True, slots=True)
class Runnable:
    """Work that could move now; `mark` changes whenever it does."""

    what: str
    mark: object
    within_s: float


class Watchdog:
    """Remembers since when each piece of runnable work bears its mark."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[object, float]] = {}
        self._looked_at_s: float | None = None

    def look(self, now_s: float, runnable: Iterable[Runnable]) -> list[str]:
        """Take in one look at `now_s` (seconds of any steady clock); return what is stuck."""
        blinked = self._looked_at_s is None or now_s - self._looked_at_s > BLINK_S
        known = {} if blinked else self._since
        self._looked_at_s = now_s
        self._since = {}
        stuck = []
        for work in runnable:
            mark, since_s = known.get(work.what, (None, now_s))
            if mark != work.mark:
                since_s = now_s
            self._since[work.what] = (work.mark, since_s)
            if now_s - since_s > work.within_s:
                stuck.append(f"{work.what} for {now_s - since_s:.0f} s")
        return stuck


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known beside the engine's statistics."""

    broker_answers: bool
    cluster_complete: bool
    """No topic and no right is missing."""
    breakers_closed: bool
    unread: Mapping[Partition, Unread]
    call_timeout_s: float


def runnable_work(statistics: Statistics, activity: Activity, facts: Facts) -> Iterator[Runnable]:
    """Yield the work that has no reason to stand still now."""
    excused = (
        statistics.draining
        or not facts.broker_answers
        or not facts.cluster_complete
        or not facts.breakers_closed
    )
    if excused:
        return
    for session in statistics.sessions:
        yield from _of_session(session, activity, facts)
    if statistics.in_flight:
        mark = (activity.starts, statistics.in_flight, statistics.parked)
        within_s = facts.call_timeout_s + OVER_CALL_S
        yield Runnable("no handler has ended and none was started", mark, within_s)
    elif any(session.can_start for session in statistics.sessions):
        yield Runnable("records are ready to start, and none is started", activity.starts, START_S)


def _of_session(session: SessionStatistics, activity: Activity, facts: Facts) -> Iterator[Runnable]:
    partition = session.partition
    name = f"partition {partition.partition}"
    if session.state is SessionState.HALTED and session.reason.startswith(LOOP_FAILED):
        yield Runnable(f"{name}: {session.reason}; standing still", None, 0.0)
    if session.state is SessionState.SUSPENDED:
        mark = session.suspended_at_s
        yield Runnable(f"{name}: revoked, and no assignment came", mark, ASSIGN_S)
    if session.state is not SessionState.RUNNING:
        return
    if session.uncommitted:
        mark = activity.transactions[partition]
        yield Runnable(f"{name}: finished records are not committed", mark, COMMIT_S)
    unread = facts.unread.get(partition)
    if unread is not None and not unread.paused and unread.position < unread.end:
        yield Runnable(f"{name}: records are there and none is read", unread.position, READ_S)
