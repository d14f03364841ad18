"""Why a partition stands still, in a line an operator can act on: no clock, no I/O."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping

from aiokafka.errors import TransactionalIdAuthorizationFailed

from jiraiya_events.adapters.kafka.needs import Lack, denied
from jiraiya_events.bootstrap.activity import Trouble
from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.statistics import SessionStatistics

PATIENCE_S = 10.0
"""A move of the coordinator or a restart of the broker mends itself in less."""

UNASSIGNED_S = 60.0
"""The group waits for a member that does not answer for 30 s."""

REJOIN = "joining the group hangs, restart the service; see docs/runbooks/stuck-partition.md"
FENCED = "another producer uses our transactional id, see docs/runbooks/fenced-producer.md"


def describe_troubles(
    sessions: Iterable[SessionStatistics],
    troubles: Mapping[Partition, Trouble],
    now_s: float,
) -> Iterator[str]:
    """Yield a line for each partition that is halted, revoked, or cannot open or commit."""
    for session in sessions:
        name = f"partition {session.partition.partition}"
        trouble = troubles.get(session.partition)
        if session.state is SessionState.HALTED:
            yield f"{name}: {session.reason}"
        elif session.suspended_at_s is not None:
            lasts_s = now_s - session.suspended_at_s
            if lasts_s >= UNASSIGNED_S:
                yield f"{name}: revoked {lasts_s:.0f} s ago, and no assignment came: {REJOIN}"
        elif trouble is not None and _stands_still(session) and trouble.goes_on(now_s):
            lasts_s = now_s - trouble.since_s
            if lasts_s >= PATIENCE_S:
                yield f"{name}: nothing committed for {lasts_s:.0f} s: {_why(trouble)}"


def forget_mended(
    sessions: Iterable[SessionStatistics], troubles: MutableMapping[Partition, Trouble]
) -> None:
    """Forget the trouble of each partition that waits for nothing: its writer opened again.

    There may have been no commit to end it, and what finishes next would be held to stand still
    for as long.
    """
    for session in sessions:
        if session.state is SessionState.RUNNING and not _stands_still(session):
            troubles.pop(session.partition, None)


def _stands_still(session: SessionStatistics) -> bool:
    return session.state is SessionState.INIT or session.uncommitted > 0


def _why(trouble: Trouble) -> str:
    if trouble.fenced:
        return FENCED
    return str(lack_behind(trouble.error) or trouble.error)


def lack_behind(error: BaseException) -> Lack | None:
    """Return the missing right that no question to the cluster tells of, else None."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TransactionalIdAuthorizationFailed):
            return denied(
                "write in transactions",
                "WRITE on transactional ids that start with the group's name and a dot",
            )
        cause = cause.__cause__
    return None
