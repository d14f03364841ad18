"""A partition that stands still says why, and what to do; one that moves says nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from aiokafka.errors import TransactionalIdAuthorizationFailed

from jiraiya_events.bootstrap.activity import ROW_S, Activity
from jiraiya_events.bootstrap.troubles import UNASSIGNED_S, describe_troubles, forget_mended
from jiraiya_events.engine.errors import Fenced, WriterFailed
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.statistics import SessionStatistics
from tests.unit.bootstrap.test_watchdog import HERE, IDLE_SESSION
from tests.unit.engine.rig import Rig, virtual

STUCK = replace(IDLE_SESSION, uncommitted=2)


def lines(activity: Activity, session: SessionStatistics = STUCK, now_s: float = 20) -> list[str]:
    """Return what readiness would say."""
    return list(describe_troubles([session], activity.troubles, now_s))


def test_a_row_of_failures_is_told_with_its_length_and_its_last_reason() -> None:
    """The first ones may be forgotten."""
    activity = Activity()
    activity.failed(HERE, WriterFailed("first"), 5)
    activity.failed(HERE, WriterFailed("no such topic"), 19)
    assert lines(activity) == ["partition 0: nothing committed for 15 s: no such topic"]


def test_what_mends_itself_soon_is_not_told() -> None:
    """One failure, or a few within ten seconds."""
    activity = Activity()
    activity.failed(HERE, WriterFailed("moved"), 1)
    assert lines(activity) == []
    activity.failed(HERE, WriterFailed("moved"), 5)
    assert lines(activity, now_s=9) == []


def test_success_an_assignment_and_time_end_a_trouble() -> None:
    """And without finished records nothing stands still."""
    ends: list[Callable[[Activity], None]] = [
        lambda activity: activity.committed(HERE),
        lambda activity: activity.rebalanced(),
        lambda activity: activity.failed(HERE, WriterFailed("another day"), 5 + 2 * ROW_S),
    ]
    for end in ends:
        activity = Activity()
        activity.failed(HERE, WriterFailed("a"), 1)
        activity.failed(HERE, WriterFailed("b"), 5)
        assert lines(activity, IDLE_SESSION) == []
        assert lines(activity)
        assert lines(activity, now_s=6 + ROW_S) == []
        end(activity)
        assert lines(activity, now_s=30 + 2 * ROW_S) == []
        assert lines(activity) == []


def test_a_partition_that_waits_for_nothing_has_mended() -> None:
    """Though nothing was there to commit; else the next record would flash as standing still."""
    opening = replace(IDLE_SESSION, state=SessionState.INIT)
    for session, mended in ((opening, False), (STUCK, False), (IDLE_SESSION, True)):
        activity = Activity()
        activity.failed(HERE, WriterFailed("a"), 1)
        activity.failed(HERE, WriterFailed("b"), 5)
        forget_mended([session], activity.troubles)
        assert (lines(activity) == []) is mended


def test_a_session_that_cannot_open_stands_still() -> None:
    """It has nothing finished, and never will."""
    opening = replace(IDLE_SESSION, state=SessionState.INIT)
    activity = Activity()
    for now_s in range(15):
        denied = WriterFailed("starting a new epoch")
        denied.__cause__ = TransactionalIdAuthorizationFailed("jiraiya.in.0")
        activity.failed(HERE, denied, now_s)
    (line,) = lines(activity, opening)
    assert "WRITE on transactional ids that start with the group's name and a dot" in line


def test_being_fenced_for_long_names_the_runbook() -> None:
    """Somebody else writes under our transactional id."""
    activity = Activity()
    for now_s in range(15):
        activity.failed(HERE, Fenced("newer"), now_s)
    (line,) = lines(activity)
    assert "docs/runbooks/fenced-producer.md" in line


def test_a_halted_partition_says_its_reason() -> None:
    """At once."""
    halted = replace(IDLE_SESSION, state=SessionState.HALTED, reason="damaged offset map")
    assert lines(Activity(), halted) == ["partition 0: damaged offset map"]


@virtual
async def test_a_revocation_that_no_assignment_follows_is_told_after_a_minute() -> None:
    """It comes to an end of itself when the partition does come back."""
    rig = Rig()
    await rig.start()
    rig.engine.revoke([HERE])

    async def told(after_s: float) -> list[str]:
        await asyncio.sleep(after_s)
        now_s = asyncio.get_running_loop().time()
        return list(describe_troubles(rig.engine.statistics().sessions, {}, now_s))

    assert await told(UNASSIGNED_S - 1) == []
    (line,) = await told(6)
    assert line.startswith("partition 0: revoked 65 s ago, and no assignment came: ")
    rig.assign(HERE)
    assert await told(1) == []
    await rig.stop()
