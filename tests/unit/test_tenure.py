"""Of two processes under one instance id the later one ends, and neither by mistake."""

from jiraiya_events.adapters.kafka import edge
from jiraiya_events.adapters.kafka.tenure import TIMES, WITHIN_S, YOUNG_S, Tenure

SESSION_S = edge.STATIC_SESSION_TIMEOUT_MS / 1000


def member(since_s: float = 0.0) -> Tenure:
    """Return the tenure of a process that joined then."""
    tenure = Tenure()
    tenure.joined(since_s)
    return tenure


def test_a_newcomer_that_is_thrown_out_ends() -> None:
    """Its session cannot have run out yet: somebody took its place."""
    assert member().is_over(7)
    assert YOUNG_S < SESSION_S / 2


def test_an_old_member_joins_again() -> None:
    """It may have been away for longer than its session; and a newcomer will end by itself."""
    assert not member().is_over(YOUNG_S + 1)


def test_a_later_assignment_does_not_make_a_member_young() -> None:
    """Rebalances come and go."""
    tenure = member()
    tenure.joined(1000)
    assert not tenure.is_over(1001)


def test_sessions_that_run_out_now_and_then_end_nobody() -> None:
    """The broker was away, or the process slept, again and again."""
    tenure = member()
    ends = [tenure.is_over(100.0 + number * SESSION_S) for number in range(20)]
    assert not any(ends)


def test_of_two_old_members_that_take_turns_the_first_to_lose_count_ends() -> None:
    """One was frozen and woke up; the other stays."""
    one, two = member(), member()
    for now_s in range(100, 100 + int(WITHIN_S), 3):
        loser = one if now_s % 2 == 0 else two
        if loser.is_over(now_s):
            break
    assert loser is one
    assert now_s == 100 + 3 * 2 * (TIMES - 1)


def test_who_never_joined_was_not_thrown_out() -> None:
    """The first join of all finds us unknown as well."""
    assert not Tenure().is_over(1)
