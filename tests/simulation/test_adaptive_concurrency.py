"""The gate against endpoints of every temper, in virtual time; rates are per second."""

import math

import pytest

from tests.simulation.endpoints import (
    Admitting,
    Moody,
    Queueing,
    Refusing,
    TokenBucket,
    always,
    lognormal,
    short_and_long,
    slowing,
    steps,
)
from tests.simulation.gate_world import EPOCH, World

SEEDS = (1, 2, 3)
NO_LIMIT = 10_000


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("retry_after_s", [None, 1.0])
@pytest.mark.parametrize("with_headers", [False, True])
def test_it_settles_at_what_the_endpoint_admits(
    seed: int, retry_after_s: float | None, *, with_headers: bool
) -> None:
    """40 at once in 0.5 s are 80/s; the worst of these is 0.95 of it, with 0.3 % refused."""
    endpoint = Admitting(always(0.5), retry_after_s=retry_after_s, with_headers=with_headers)
    world = World(endpoint, seed=seed)
    world.run(150)
    assert world.rate(10, 150) >= 0.95 * 80
    assert world.refused_share(10, 150) < 0.01


def test_it_settles_within_seconds() -> None:
    """A benchmark of some hundred stories sees no more than this."""
    world = World(Admitting(always(0.5), retry_after_s=1.0))
    world.run(13)
    assert world.rate(3, 13) >= 0.95 * 80
    assert world.refused_share(3, 13) < 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_it_settles_when_latencies_spread(seed: int) -> None:
    world = World(Admitting(lognormal(0.5, 0.5)), seed=seed)
    world.run(150)
    assert world.rate(10, 150) >= 0.93 * 80
    assert world.refused_share(10, 150) < 0.01


@pytest.mark.parametrize("retry_after_s", [None, 1.0])
def test_it_follows_a_capacity_that_drops_and_comes_back(retry_after_s: float | None) -> None:
    """From 40 to 10 after a minute, and back after two."""
    capacity = steps([(0, 40), (60, 10), (120, 40)], EPOCH)
    world = World(Admitting(always(0.5), capacity, retry_after_s=retry_after_s))
    world.run(66)
    assert world.limit <= 11, "six seconds after the drop"
    world.run(174)
    assert world.rate(66, 120) >= 0.9 * 20
    assert world.refused_share(66, 120) < 0.02
    assert world.rate(200, 240) >= 0.9 * 80, "what was learned is forgotten after a minute"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "retry_after", [lambda s: float(math.ceil(s)), lambda s: s, lambda _: None]
)
@pytest.mark.parametrize("with_headers", [False, True])
def test_a_limit_on_the_rate_is_used_up(
    seed: int, retry_after: object, *, with_headers: bool
) -> None:
    """20/s with a burst of 20, however the provider words its wait."""
    assert callable(retry_after)
    endpoint = TokenBucket(always(0.5), retry_after=retry_after, with_headers=with_headers)
    world = World(endpoint, seed=seed)
    world.run(180)
    assert world.rate(30, 180) >= 0.93 * 20
    assert world.refused_share(30, 180) < 0.04


def test_headers_keep_a_large_budget_from_being_overdrawn() -> None:
    """500 a minute, 5 s each: without its headers it is found by refusals alone."""
    shares = []
    for with_headers in (False, True):
        endpoint = TokenBucket(
            lognormal(5, 0.4), per_s=500 / 60, burst=500, with_headers=with_headers
        )
        world = World(endpoint)
        world.run(600)
        assert world.rate(300, 600) >= 0.97 * 500 / 60
        shares.append(world.refused_share(0, 600))
    assert shares[1] < shares[0] / 4


@pytest.mark.parametrize("seconds", [always(0.5), lognormal(0.5, 0.5)])
def test_it_backs_off_where_calls_queue_and_loses_nothing(seconds: object) -> None:
    """20 are worked on side by side; 100 at once would take five times as long each."""
    assert callable(seconds)
    world = World(Queueing(seconds))
    world.run(20)
    most = 0
    for _ in range(100):
        world.run(1)
        most = max(most, world.at_work)
    assert world.rate(20, 120) >= 0.95 * 40
    assert most <= 70


def test_it_follows_a_queue_that_becomes_slower_and_quicker() -> None:
    """From 40 side by side to 10, and back after two minutes."""
    world = World(Queueing(lognormal(0.5, 0.5), steps([(0, 40), (60, 10), (180, 40)], EPOCH)))
    world.run(90)
    assert world.limit <= 40
    world.run(150)
    assert world.rate(90, 180) >= 0.95 * 20
    assert world.rate(200, 240) >= 0.95 * 80


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sigma", [0.3, 0.5, 0.8, 1.0])
def test_latencies_that_merely_spread_cost_nothing(seed: int, sigma: float) -> None:
    """100 at once, 2 s on average."""
    world = World(Admitting(lognormal(2, sigma), lambda _: NO_LIMIT), seed=seed)
    world.run(300)
    assert world.limit == 100
    assert world.rate(30, 300) >= 0.96 * 50


@pytest.mark.parametrize("seed", SEEDS)
def test_short_and_long_stories_side_by_side_cost_nothing(seed: int) -> None:
    """270 and 1,350 tokens: 0.84 and 3 s, and their spread."""
    world = World(Admitting(short_and_long(), lambda _: NO_LIMIT), seed=seed)
    world.run(300)
    assert world.limit == 100


def test_a_provider_that_becomes_slow_for_all_is_not_made_slower() -> None:
    """Calls take four times as long whatever their number: that becomes the ordinary time."""
    world = World(Admitting(slowing(0.5, 2.0, EPOCH + 60), lambda _: NO_LIMIT))
    world.run(60)
    assert world.limit == 100
    world.run(60)
    assert world.rate(90, 120) >= 0.9 * 50


def test_an_outage_of_refusals_costs_little_once_it_is_over() -> None:
    """Ten seconds without a word; calls were 100 at once before."""
    beside = Admitting(always(0.5), lambda _: 100)
    world = World(Refusing(beside, 30, 40, EPOCH))
    world.run(30)
    before = len(world.seen)
    world.run(10)
    refused = sum(1 for call in world.seen[before:] if call.refused)
    assert refused <= 130, "those under way, and a few that asked whether it is over"
    world.run(110)
    assert world.rate(50, 60) >= 60
    assert world.rate(120, 150) >= 100


def test_refusals_by_chance_do_not_starve_the_service() -> None:
    """One in a hundred, at any number of calls: each costs a tenth, the next second makes it up."""
    world = World(Moody(Admitting(lognormal(0.5, 0.5)), 0.01))
    world.run(200)
    assert world.rate(20, 200) >= 25


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_who_waits_is_passed_for_long(seed: int) -> None:
    """64 wait while others keep coming, nearly as many as can be served: 72 of 80/s."""
    world = World(Admitting(always(0.5)), seed=seed, backlog=64, endless=False, arrivals_per_s=72)
    world.run(120)
    answered = [call for call in world.seen if not call.refused]
    assert len(answered) > 110 * 72
    assert max(call.waited_s for call in answered) < 10
    assert max(call.times_parked for call in answered) <= 3
    assert world.parked < 100


@pytest.mark.parametrize("seed", SEEDS)
def test_the_queue_is_first_come_first_served(seed: int) -> None:
    """Under twice the load everybody waits as long as those around; the refused queue anew."""
    world = World(Admitting(always(0.5)), seed=seed, backlog=0, endless=False, arrivals_per_s=160)
    world.run(60)
    came = [call.came_at for call in world.seen if not call.refused]
    late = max(max(came[: i + 1]) - at for i, at in enumerate(came))
    assert late < 5, "nobody is answered after somebody who came so much later"


def test_nobody_is_forgotten_when_all_calls_have_ended() -> None:
    """A request that is parked just after the last slot was freed is found by time alone."""
    for seed in range(20):
        world = World(
            Admitting(always(0.01), lambda _: NO_LIMIT),
            most=1, seed=seed, backlog=30, endless=False, turn_s=0.05,
        )  # fmt: skip
        world.run(15)
        assert len(world.seen) == 30
        assert world.parked == 0
