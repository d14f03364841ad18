"""Which model of the chain is asked, and when another one takes over."""

from typing import Any

import pytest

from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.outcome import Source
from jiraiya_events.generation.breaker import BreakerPolicy
from jiraiya_events.generation.candidates import Candidate, Chains
from jiraiya_events.generation.faults import Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.steps import (
    AwaitBreaker,
    AwaitSlot,
    Rejected,
    Step,
    TryAgain,
    Written,
)
from jiraiya_events.generation.withdrawal import Withdrawal
from tests.unit.generation.scene import CUT, DOWN, NO_KEY, START, Scene, Script, answer

EMPTY = Fault(FaultKind.HTTP, 429, "insufficient_quota")
TOO_LONG = Fault(FaultKind.HTTP, 400, "context_length_exceeded")
NOT_UNDERSTOOD = Fault(FaultKind.HTTP, 400)

SMALL = Candidate("some", account="one", context_window=8_000)
SAME_BILL = Candidate("second", account="one", context_window=8_000)
ELSEWHERE = Candidate("third", account="two", context_window=128_000)


class Feed:
    """A reader of the story; a test says whether it has seen anything."""

    def __init__(self, *, published: bool = False, withheld: bool = False) -> None:
        self.published = published
        self.withheld = withheld
        self.heard: list[str] = []

    def begin(self) -> None:
        """Start over."""
        self.heard.clear()

    def text(self, delta: str) -> None:
        """Read it."""
        self.heard.append(delta)


def chained(
    *script: Script, chain: tuple[Candidate, ...] = (SMALL, ELSEWHERE), **more: Any
) -> Scene:
    """Return a scene with a chain of models."""
    return Scene(*script, chain=chain, **more)


async def ended(scene: Scene, **more: Any) -> Step:
    """Try on, with all the time that is asked for, until nothing is left to wait for."""
    for _ in range(20):
        step = await scene.attempt(**more)
        if not isinstance(step, TryAgain):
            return step
        scene.time += step.after_s
    pytest.fail("it never ends")


def asked(scene: Scene) -> list[str]:
    """Return the models in the order of the calls."""
    return [call["model"] for call in scene.model.calls]


async def test_a_story_of_another_model_says_so() -> None:
    """Proves the way over on used-up tries: three of the first, then the second."""
    scene = chained(DOWN, DOWN, DOWN, answer(model="third-2026"))
    step = await ended(scene)
    assert isinstance(step, Written)
    assert (step.source, step.model) == (Source.FALLBACK, "third-2026")
    assert asked(scene) == ["some", "some", "some", "third"]
    assert (scene.progress.calls, scene.progress.tries) == (4, 3)


@pytest.mark.parametrize("asked_for_s", [600.0, 20.0])
async def test_a_next_try_after_the_deadline_leads_to_the_next_model(asked_for_s: float) -> None:
    """Proves the way over on a wait of a failing provider that is too long for this request."""
    scene = chained(Fault(FaultKind.HTTP, 503, retry_after_s=asked_for_s), answer())
    step = await ended(scene, deadline=START + 20)
    assert isinstance(step, Written)
    assert (asked(scene), scene.time) == (["some", "third"], START)


async def test_a_retry_the_budget_cannot_pay_leads_to_the_next_model() -> None:
    """Proves that a first call of another one is no retry."""
    scene = chained(DOWN, answer())
    while scene.budget.take(START, 400) is not None:
        pass
    assert isinstance(await ended(scene), Written)
    assert (asked(scene), scene.time) == (["some", "third"], START)


async def test_an_open_breaker_leads_to_the_next_model_at_once() -> None:
    """Proves that nobody waits for a model while another can write."""
    scene = chained(answer())
    scene.open_breaker()
    step = await scene.attempt()
    assert isinstance(step, Written)
    assert (asked(scene), step.source) == (["third"], Source.FALLBACK)


async def test_with_every_breaker_open_a_request_waits_at_the_chain() -> None:
    """Proves the place, and that the code at the deadline needs all of them to be down."""
    scene = chained(answer())
    scene.open_breaker(ErrorCode.PROVIDER_AUTH)
    other = scene.breakers.of("third")
    permit = other.allow(START)
    assert permit is not None
    permit.failed(START, ErrorCode.PROVIDER_UNAVAILABLE, opens=True)
    assert await scene.attempt() == AwaitBreaker(ErrorCode.PROVIDER_AUTH, "some")
    at = [scene.generator.code_at_deadline(scene.progress, START + after) for after in (1, 30)]
    assert at == [ErrorCode.PROVIDER_AUTH] * 2
    scene.time += 15
    assert isinstance(await scene.attempt(), Written)


async def test_one_model_that_could_be_asked_makes_a_late_request_late() -> None:
    """Proves that a request which could go on was held by the queue, not by a provider."""
    scene = chained(answer())
    scene.open_breaker()
    assert scene.generator.code_at_deadline(Progress(), START + 1) is ErrorCode.DEADLINE_EXCEEDED


async def test_wrong_credentials_of_the_first_are_no_reason_to_wait() -> None:
    """Proves the way over in the turn after the failure; a try is not used up."""
    scene = chained(NO_KEY, answer())
    assert await scene.attempt() == TryAgain(0.0, ErrorCode.PROVIDER_AUTH)
    assert isinstance(await scene.attempt(), Written)
    assert (asked(scene), scene.progress.tries) == (["some", "third"], 0)


async def test_an_empty_account_is_left_for_another_one_only() -> None:
    """Proves that a model on the same bill is not asked."""
    scene = chained(EMPTY, answer(), chain=(SMALL, SAME_BILL, ELSEWHERE))
    assert isinstance(await ended(scene), Written)
    assert asked(scene) == ["some", "third"]


async def test_an_empty_account_without_another_is_waited_for() -> None:
    """Proves that a fallback on the same bill does not help."""
    scene = chained(EMPTY, chain=(SMALL, SAME_BILL))
    assert isinstance(await ended(scene), AwaitBreaker)
    assert asked(scene) == ["some"]


async def test_a_context_that_is_too_small_needs_a_larger_model() -> None:
    """Proves that equals and unknowns are skipped."""
    unknown = Candidate("unknown", account="two")
    scene = chained(TOO_LONG, answer(), chain=(SMALL, SAME_BILL, unknown, ELSEWHERE))
    assert isinstance(await ended(scene), Written)
    assert asked(scene) == ["some", "third"]
    alone = chained(TOO_LONG, chain=(SMALL, SAME_BILL, unknown))
    step = await ended(alone)
    assert isinstance(step, Rejected)
    assert (step.code, asked(alone)) == (ErrorCode.CONTEXT_TOO_LONG, ["some"])


@pytest.mark.parametrize(
    ("flawed", "code"),
    [
        (answer(refusal="no"), ErrorCode.CONTENT_BLOCKED),
        (answer(finish_reason="content_filter"), ErrorCode.CONTENT_BLOCKED),
        (NOT_UNDERSTOOD, ErrorCode.PROVIDER_BAD_RESPONSE),
    ],
)
async def test_a_refusal_is_never_taken_to_another_model(
    flawed: ModelAnswer | Fault, code: ErrorCode
) -> None:
    """Proves that nobody shops around for a model that says yes."""
    scene = chained(flawed, answer())
    step = await ended(scene)
    assert isinstance(step, Rejected)
    assert (step.code, asked(scene)) == (code, ["some"])


@pytest.mark.parametrize("flawed", [answer("no story"), answer("{", "length"), CUT])
async def test_what_one_more_try_did_not_mend_another_model_may(
    flawed: ModelAnswer | Fault,
) -> None:
    """Proves two calls of the first, then the second."""
    scene = chained(flawed, flawed, answer())
    assert isinstance(await ended(scene), Written)
    assert asked(scene) == ["some", "some", "third"]


async def test_a_wait_beyond_the_deadline_is_not_waited_out() -> None:
    """Proves that a rate limit leads over only when it is too long."""
    limited = Fault(FaultKind.HTTP, status=429, retry_after_s=20.0)
    scene = chained(limited, answer())
    assert await scene.attempt(deadline=START + 100) == TryAgain(
        0.0, ErrorCode.PROVIDER_RATE_LIMITED
    )
    patient = await scene.attempt(deadline=START + 100)
    assert patient == TryAgain(20.0, ErrorCode.PROVIDER_RATE_LIMITED)
    assert isinstance(await scene.attempt(deadline=START + 10), Written)
    assert asked(scene) == ["some", "third"]


async def test_a_model_without_a_free_slot_is_waited_for() -> None:
    """Proves that a busy model is no reason for another, dearer one."""
    scene = chained(answer(), ceiling=1)
    assert scene.gate.admit("some", START) == 0.0
    assert await scene.attempt() == AwaitSlot("some")
    scene.gate.leave("some", START)
    assert isinstance(await scene.attempt(), Written)


async def test_no_fallback_is_begun_without_the_time_for_it() -> None:
    """Proves that the request ends with what the first one led to."""
    scene = chained(DOWN, DOWN, DOWN, answer())
    for _ in range(2):
        await scene.attempt()
    deadline = scene.time + 1.0
    assert isinstance(await scene.attempt(deadline=deadline), TryAgain)
    step = await scene.attempt(deadline=deadline)
    assert isinstance(step, Rejected)
    assert (step.code, len(scene.model.calls)) == (ErrorCode.PROVIDER_UNAVAILABLE, 3)


async def test_once_something_was_published_no_other_model_goes_on() -> None:
    """Proves that a reader never sees two stories in one."""
    scene = chained(DOWN, DOWN, DOWN, answer())
    step = await ended(scene, feed=Feed(published=True))
    assert isinstance(step, Rejected)
    assert asked(scene) == ["some"] * 3
    open_first = chained(answer())
    open_first.open_breaker()
    assert isinstance(await open_first.attempt(feed=Feed(published=True)), AwaitBreaker)


async def test_when_all_have_failed_the_last_failure_is_told() -> None:
    """Proves that the chain is gone through once."""
    scene = chained(DOWN, DOWN, DOWN, CUT)
    step = await ended(scene)
    assert isinstance(step, Rejected)
    assert step.code is ErrorCode.PROVIDER_TIMEOUT
    assert asked(scene) == ["some"] * 3 + ["third"] * 2


async def test_an_outage_gives_back_only_the_tries_of_its_own_model() -> None:
    """Proves that two models' histories are kept apart."""
    scene = chained(DOWN, breaker=BreakerPolicy(consecutive_failures=5))
    for _ in range(4):
        await scene.attempt()
    assert (scene.progress.of("some").tries, scene.progress.of("third").tries) == (3, 1)
    third = scene.breakers.of("third")
    for _ in range(4):
        permit = third.allow(scene.time)
        assert permit is not None
        permit.failed(scene.time, ErrorCode.PROVIDER_UNAVAILABLE)
    assert isinstance(await scene.attempt(), AwaitBreaker)
    assert (scene.progress.of("some").tries, scene.progress.of("third").tries) == (3, 0)


async def test_a_request_that_names_a_model_asks_that_one_first() -> None:
    """Proves the order: the one asked for, then the fallbacks; the default is none of them."""
    chains = Chains((SMALL, ELSEWHERE), (Candidate("named"),))
    order = {
        name: [one.name for one in chains.of(name)] for name in (None, "some", "third", "named")
    }
    assert order == {
        None: ["some", "third"],
        "some": ["some", "third"],
        "third": ["third"],
        "named": ["named", "third"],
    }
    assert chains.heads_of("third") == ("some", "third", "named")
    assert chains.heads_of("named") == ("named",)


async def test_tries_of_a_former_owner_count_for_the_first_model() -> None:
    """Proves that a record which moves does not start from nothing."""
    scene = chained(DOWN, answer())
    scene.progress = Progress.of_former_owner(2, Withdrawal())
    assert isinstance(await ended(scene), Written)
    assert asked(scene) == ["some", "third"]


async def test_a_story_streams_to_its_reader_once() -> None:
    """Proves that a second call after something was published does not stream."""
    scene = Scene(DOWN, answer())
    feed = Feed()
    await scene.attempt(feed=feed)
    assert scene.model.calls[0]["on_text"] is not None
    feed.published = True
    await scene.attempt(feed=feed)
    assert scene.model.calls[1]["on_text"] is None


async def test_a_story_that_is_withheld_is_not_streamed() -> None:
    """Proves that a call pays for streaming only when somebody may read along."""
    scene = Scene(answer())
    await scene.attempt(feed=Feed(withheld=True))
    assert scene.model.calls[0]["on_text"] is None
