"""How the limit moves; the simulations show what that is good for."""

from jiraiya_events.generation.latency import Advice, Latency
from jiraiya_events.generation.limit import CEILING_S, CUT_S, AdaptiveLimit

T = 1_800_000_000.0


def answers(limit: AdaptiveLimit, count: int, now: float, *, seconds: float = 1.0) -> None:
    """Let calls end well while the limit is used up."""
    for _ in range(count):
        limit.answered(now, limit.calls, seconds, 270)


def grown(to: int, most: int = 1000) -> AdaptiveLimit:
    """Return a limit that has grown to a level without a refusal."""
    limit = AdaptiveLimit(most)
    answers(limit, to - 10, T)
    assert limit.calls == to
    return limit


def test_it_never_starts_above_its_ceiling() -> None:
    assert [AdaptiveLimit(most).calls for most in (1, 4, 10, 100)] == [1, 4, 10, 10]


def test_a_refusal_cuts_a_tenth_of_what_fitted() -> None:
    limit = grown(41)
    limit.refused(T, 40, 41)
    assert limit.calls == 36


def test_refusals_of_one_burst_are_one_cut() -> None:
    """Fifty calls were sent, and forty of them fitted."""
    limit = grown(50)
    for others in range(49, 39, -1):
        limit.refused(T, others, others + 1)
    assert limit.calls == 36


def test_beyond_the_cut_it_grows_by_one_per_round() -> None:
    limit = grown(100)
    limit.refused(T, 99, 100)
    assert limit.calls == 89
    answers(limit, 75, T + 1)
    assert limit.calls == 89
    answers(limit, 90, T + 1)
    assert limit.calls == 90


def test_it_stays_at_what_fitted_for_a_minute() -> None:
    limit = grown(41)
    limit.refused(T, 40, 41)
    answers(limit, 1000, T + CEILING_S - 1)
    assert limit.calls == 40
    answers(limit, 100, T + CEILING_S)
    assert limit.calls > 40


def test_a_refusal_below_the_ceiling_is_not_explained_by_it() -> None:
    """Somebody else uses the endpoint too: the ceiling would only ever sink."""
    limit = grown(41)
    limit.refused(T, 40, 41)
    answers(limit, 200, T + CUT_S)
    limit.refused(T + CUT_S, 39, 40)
    answers(limit, 1000, T + CUT_S + 1)
    assert limit.calls > 40


def test_answers_of_the_same_burst_do_not_make_a_cut_deeper() -> None:
    """43 were under way and three refused; thirty of the other forty had just been answered."""
    limit = grown(43)
    for others in (12, 11, 10):
        limit.refused(T, others, 43)
    answers(limit, 1000, T + 1)
    assert limit.calls == 40


def test_one_cut_halves_it_at_most() -> None:
    limit = grown(80)
    for others in range(79, -1, -1):
        limit.refused(T, others, others + 1)
    assert limit.calls == 1, "for the moment: nothing has fitted"
    answers(limit, 100, T + 1)
    assert 36 <= limit.calls <= 40


def test_who_refuses_everybody_tells_nothing_about_how_many_fit() -> None:
    """No call that began since the last cut was answered."""
    limit = grown(80)
    limit.refused(T, 79, 80)
    for second in (3, 6, 9):
        limit.answered(T + second, 1, 10.0 + second, 270)
        limit.refused(T + second, 0, 1)
    answers(limit, 200, T + 10)
    assert limit.calls >= 50


def test_it_never_falls_below_one() -> None:
    limit = AdaptiveLimit(2)
    for second in range(0, 100, 3):
        limit.refused(T + second, 0, 1)
    assert limit.calls == 1


def test_twice_the_time_halves_it_and_the_old_time_keeps_it_there() -> None:
    """Each round is of calls that began after the one before."""
    limit = AdaptiveLimit(10)
    now = T
    for seconds, expected in ((1.0, 10), (2.5, 10), (2.5, 5), (1.2, 5)):
        for _ in range(64):
            now += 100
            limit.answered(now, 10, seconds, 270)
        # It grows again meanwhile, by one per round.
        assert expected <= limit.calls <= expected + (seconds == 1.2) * 10


def test_when_halving_does_not_help_it_comes_back() -> None:
    limit = AdaptiveLimit(10)
    now = T
    for seconds in (1.0, 2.5, 2.5):
        for _ in range(64):
            now += 100
            limit.answered(now, 10, seconds, 270)
    assert limit.calls == 5
    for _ in range(128):
        now += 100
        limit.answered(now, 10, 2.5, 270)
    assert limit.calls == 10


def test_a_refusal_ends_what_is_being_tried_out() -> None:
    """The limit was halved for the time calls take; then another limit was met."""
    now, latency = T, Latency()

    def seen(seconds: float) -> Advice:
        """Return what the last of a round says."""
        nonlocal now
        for _ in range(64):
            now += 100
            advice = latency.seen(now, 10, seconds, 270)
        return advice

    assert [seen(1.0), seen(2.5), seen(2.5)] == [Advice.GO_ON, Advice.GO_ON, Advice.HALVE]
    latency.interrupted()
    assert seen(2.5) is not Advice.RESTORE, "what was before the halving is out of reach"


def test_a_longer_story_may_take_longer() -> None:
    limit = AdaptiveLimit(10)
    now = T
    for tokens in (270, 1350, 1350, 1350):
        for _ in range(64):
            now += 100
            limit.answered(now, 10, tokens / 100, tokens)
        assert limit.calls == 10


def test_a_clock_that_was_set_back_is_survived() -> None:
    limit = grown(41)
    limit.refused(T, 40, 41)
    answers(limit, 3, T - 86_400, seconds=-86_000.0)
    limit.refused(T - 86_400, 39, 40)
    assert 1 <= limit.calls <= 36
