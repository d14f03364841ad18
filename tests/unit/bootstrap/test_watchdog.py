"""Liveness turns red when runnable work stands still, and never for a good reason to."""

from dataclasses import replace

import pytest

from jiraiya_events.adapters.kafka.log_watch import Unread
from jiraiya_events.bootstrap.activity import Activity
from jiraiya_events.bootstrap.watchdog import (
    ASSIGN_S,
    BLINK_S,
    COMMIT_S,
    OVER_CALL_S,
    READ_S,
    START_S,
    Facts,
    Watchdog,
    runnable_work,
)
from jiraiya_events.engine.engine import LOOP_FAILED
from jiraiya_events.engine.errors import WriterFailed
from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.statistics import SessionStatistics, Statistics

HERE = Partition("in", 0)
BEAT_S = 3.0
CALL_S = 60.0
IDLE_SESSION = SessionStatistics(
    partition=HERE,
    state=SessionState.RUNNING,
    reason="",
    outstanding=0,
    in_flight=0,
    uncommitted=0,
    lanes=0,
    can_start=False,
    next_expected=0,
    frontier=0,
)
WELL = Facts(
    broker_answers=True,
    cluster_complete=True,
    breakers_closed=True,
    unread={HERE: Unread(position=5, end=5, paused=False)},
    call_timeout_s=CALL_S,
)


class Vigil:
    """A watchdog with a clock of its own, that looks every three seconds."""

    def __init__(self) -> None:
        self.activity = Activity()
        self.facts = WELL
        self.session: SessionStatistics | None = IDLE_SESSION
        self.in_flight = 0
        self.draining = False
        self.now_s = 1000.0
        self._dog = Watchdog()

    def look(self, after_s: float = BEAT_S) -> list[str]:
        """Look once, `after_s` later."""
        self.now_s += after_s
        statistics = Statistics(
            in_flight=self.in_flight,
            slots=100,
            waiting=0,
            parked=0,
            draining=self.draining,
            sessions=() if self.session is None else (self.session,),
        )
        return self._dog.look(self.now_s, runnable_work(statistics, self.activity, self.facts))

    def goes_red(self, within_s: float) -> float | None:
        """Return after how many seconds it is red, None when it is not `within_s`."""
        began_s = self.now_s
        while self.now_s - began_s <= within_s:
            if self.look():
                return self.now_s - began_s
        return None

    def set(self, **changes: object) -> None:
        """Change what the session says."""
        assert self.session is not None
        self.session = replace(self.session, **changes)  # type: ignore[arg-type]


@pytest.fixture
def vigil() -> Vigil:
    """Watch over one partition without work."""
    return Vigil()


# Red.


def test_finished_records_that_no_transaction_takes_are_stuck(vigil: Vigil) -> None:
    """The commit loop hangs; the bound is stated, and the line names partition and time."""
    vigil.set(uncommitted=3, outstanding=3)
    red = vigil.goes_red(2 * COMMIT_S)
    assert red is not None
    assert COMMIT_S < red < COMMIT_S + 3 * BEAT_S
    (line,) = vigil.look()
    assert line.startswith("partition 0: finished records are not committed for ")


def test_a_commit_loop_that_died_is_stuck_at_once(vigil: Vigil) -> None:
    """Nothing will ever start it again but a restart."""
    vigil.set(state=SessionState.HALTED, reason=f"{LOOP_FAILED}: KeyError('x')")
    assert vigil.goes_red(3 * BEAT_S)


def test_ready_records_that_nobody_starts_are_stuck(vigil: Vigil) -> None:
    """There are free slots, and nothing runs."""
    vigil.set(can_start=True, outstanding=1, lanes=1)
    red = vigil.goes_red(2 * START_S)
    assert red is not None
    assert START_S < red < START_S + 3 * BEAT_S


def test_a_reader_that_reads_nothing_of_what_is_there_is_stuck(vigil: Vigil) -> None:
    """Its task died, or the fetcher below it: the log's end moves on, our position does not."""
    for end in range(6, 40):
        vigil.facts = replace(WELL, unread={HERE: Unread(5, end, paused=False)})
        if vigil.look():
            break
    else:
        pytest.fail("never red")
    assert READ_S < (end - 6) * BEAT_S < READ_S + 3 * BEAT_S


def test_a_revocation_that_no_assignment_follows_is_stuck(vigil: Vigil) -> None:
    """The client hangs in joining the group; each revocation has its whole time."""
    for suspended_at_s in range(3):
        vigil.set(state=SessionState.SUSPENDED, suspended_at_s=float(suspended_at_s))
        assert vigil.goes_red(ASSIGN_S - 2 * BEAT_S) is None
    assert vigil.goes_red(4 * BEAT_S)


def test_handlers_that_outlive_every_time_out_are_stuck(vigil: Vigil) -> None:
    """One call is bounded; a handler makes one call at most."""
    vigil.in_flight = 4
    red = vigil.goes_red(2 * (CALL_S + OVER_CALL_S))
    assert red is not None
    assert CALL_S + OVER_CALL_S < red < CALL_S + OVER_CALL_S + 3 * BEAT_S


def test_it_is_green_again_when_work_moves(vigil: Vigil) -> None:
    """Late is not dead."""
    vigil.set(uncommitted=3)
    assert vigil.goes_red(2 * COMMIT_S)
    vigil.activity.committed(HERE)
    assert vigil.look() == []


# Never red.


def test_an_idle_service_is_well(vigil: Vigil) -> None:
    """Nothing to do is no reason to restart."""
    assert vigil.goes_red(3600) is None


def test_standing_by_without_partitions_is_well(vigil: Vigil) -> None:
    """More replicas than partitions is a choice."""
    vigil.session = None
    assert vigil.goes_red(3600) is None


@pytest.mark.parametrize("fact", ["broker_answers", "cluster_complete", "breakers_closed"])
def test_what_stands_still_for_reasons_outside_is_well(vigil: Vigil, fact: str) -> None:
    """The broker is away, a topic or a right is missing, or the model's breaker is open."""
    vigil.facts = replace(WELL, unread={HERE: Unread(5, 9, paused=False)}, **{fact: False})
    vigil.in_flight = 4
    vigil.set(uncommitted=3, can_start=True)
    assert vigil.goes_red(3600) is None


def test_an_excuse_that_ends_gives_the_whole_time_again(vigil: Vigil) -> None:
    """What stood still behind an open breaker has only now begun to be runnable."""
    vigil.set(uncommitted=3)
    assert vigil.goes_red(COMMIT_S - 2 * BEAT_S) is None
    vigil.facts = replace(WELL, broker_answers=False)
    vigil.look()
    vigil.facts = WELL
    assert vigil.goes_red(COMMIT_S - 2 * BEAT_S) is None


def test_draining_is_well(vigil: Vigil) -> None:
    """It ends by itself, within its time-out."""
    vigil.draining = True
    vigil.in_flight = 4
    vigil.set(state=SessionState.DRAINING, uncommitted=3)
    assert vigil.goes_red(3600) is None


def test_waiting_for_retries_is_well(vigil: Vigil) -> None:
    """Records are outstanding, none is ready, none is in flight."""
    vigil.set(outstanding=50, lanes=50)
    assert vigil.goes_red(3600) is None


def test_slow_calls_that_end_in_time_are_well(vigil: Vigil) -> None:
    """Each takes its whole time-out, again and again, and the slots stay full."""
    vigil.in_flight = 100
    vigil.set(can_start=True, outstanding=1500, lanes=1500, in_flight=100)
    for _ in range(50):
        assert vigil.goes_red(CALL_S) is None
        vigil.activity.started()


def test_a_transaction_that_fails_again_and_again_is_alive(vigil: Vigil) -> None:
    """A restart would not mend what the log refuses; readiness says what is wrong."""
    vigil.set(uncommitted=3)
    for _ in range(50):
        assert vigil.goes_red(COMMIT_S / 2) is None
        vigil.activity.failed(HERE, WriterFailed("away"), vigil.now_s)


@pytest.mark.parametrize(
    ("state", "bound_s"), [(SessionState.INIT, 3600), (SessionState.SUSPENDED, ASSIGN_S)]
)
def test_a_rebalance_is_well(vigil: Vigil, state: SessionState, bound_s: float) -> None:
    """Nothing is runnable while the partition's fate is open."""
    vigil.facts = replace(WELL, unread={HERE: Unread(5, 9, paused=False)})
    vigil.set(state=state, uncommitted=3)
    assert vigil.goes_red(bound_s) is None


def test_a_revocation_while_the_broker_is_away_is_well(vigil: Vigil) -> None:
    """Nobody could assign anything."""
    vigil.facts = replace(WELL, broker_answers=False)
    vigil.set(state=SessionState.SUSPENDED)
    assert vigil.goes_red(3600) is None


def test_a_partition_that_was_halted_for_an_operator_is_alive(vigil: Vigil) -> None:
    """A restart would halt it again: readiness says what to do."""
    vigil.set(state=SessionState.HALTED, reason="offset map of unknown version '9'")
    assert vigil.goes_red(3600) is None


def test_a_paused_partition_is_well(vigil: Vigil) -> None:
    """Back-pressure, or an operator."""
    vigil.facts = replace(WELL, unread={HERE: Unread(5, 900, paused=True)})
    assert vigil.goes_red(3600) is None


def test_a_reader_that_is_slow_is_alive(vigil: Vigil) -> None:
    """It lags, and it moves."""
    for position in range(5, 200):
        vigil.facts = replace(WELL, unread={HERE: Unread(position, 10_000, paused=False)})
        assert vigil.goes_red(READ_S / 2) is None


def test_a_process_that_slept_is_not_blamed_for_it(vigil: Vigil) -> None:
    """SIGSTOP, or a laptop's lid: time went by, and nobody could have moved anything."""
    vigil.set(uncommitted=3)
    vigil.look()
    assert vigil.look(after_s=3600) == []
    assert vigil.goes_red(COMMIT_S - 2 * BEAT_S) is None
    assert BLINK_S > 2 * BEAT_S
