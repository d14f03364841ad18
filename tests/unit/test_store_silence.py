"""When a store that hangs is asked again, and by how many."""

from jiraiya_events.adapters.store.silence import QUIET_S, Silence


def test_until_something_times_out_everybody_is_let_through() -> None:
    silence = Silence()
    assert all(silence.admits(float(now)) for now in range(10))


def test_after_a_time_out_one_is_let_through_now_and_then() -> None:
    silence = Silence()
    silence.timed_out(0.0, 3.0)
    let_through = [now / 10 for now in range(30, 100) if silence.admits(now / 10)]
    assert let_through == [3.0 + QUIET_S, 3.0 + 2 * QUIET_S, 3.0 + 3 * QUIET_S]


def test_an_answer_ends_the_silence() -> None:
    silence = Silence()
    silence.timed_out(0.0, 3.0)
    assert silence.admits(5.0)
    silence.answered(5.1)
    assert all(silence.admits(5.1) for _ in range(10))


def test_a_time_out_while_others_were_answered_shuts_out_nobody() -> None:
    """It waited for its turn, or is slow by itself."""
    silence = Silence()
    silence.answered(2.0)
    silence.timed_out(1.0, 4.0)
    assert silence.admits(4.0)


def test_who_was_asked_before_the_silence_ended_does_not_begin_another() -> None:
    silence = Silence()
    silence.timed_out(0.0, 3.0)
    assert silence.admits(5.0)
    silence.answered(5.1)
    silence.timed_out(2.9, 5.9)
    assert silence.admits(6.0)
