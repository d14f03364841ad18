"""One attempt after another, as a lane would run them, against a scripted model."""

import asyncio
import json

import pytest

from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.outcome import Source
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.breaker import BreakerPolicy, Mode, State
from jiraiya_events.generation.classification import Repair
from jiraiya_events.generation.faults import Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.steps import AwaitBreaker, Rejected, TryAgain, UnderWay, Written
from jiraiya_events.generation.withdrawal import Withdrawal
from tests.unit.generation.scene import (
    CUT,
    DOWN,
    ID,
    NO_KEY,
    REQUEST,
    START,
    BrokenStore,
    Scene,
    Script,
    answer,
    code_of,
    paid,
)
from tests.unit.generation.test_fallbacks import ended


async def test_a_good_answer_becomes_a_story() -> None:
    """Proves the whole way: story, usage, cost, tries and source."""
    scene = Scene(answer())
    step = await scene.attempt()
    assert isinstance(step, Written)
    assert (step.story.title, step.story.word_count) == ("The Fox", 200)
    assert (step.model, step.source, step.prompt_version) == (
        "some-2026", Source.MODEL, "story.v2",
    )  # fmt: skip
    progress = scene.progress
    assert (progress.calls, progress.cost_pico_usd, progress.billed) == (1, 50, True)
    assert progress.usage == Usage(input_tokens=10, output_tokens=20)


async def test_an_answer_is_kept_before_the_checks_can_reject_it() -> None:
    """Proves that whatever was paid for is in the store, usable or not."""
    scene = Scene(answer("no story at all"))
    await scene.attempt()
    stored = (await scene.store.look_up(ID, "f", "ann")).answer
    assert stored is not None
    assert (stored.text, stored.calls, stored.cost_pico_usd) == ("no story at all", 1, 50)


async def test_a_broken_store_fails_no_request() -> None:
    """Proves that the story is delivered and the observer told."""
    scene = Scene(answer(), store=BrokenStore(1.0))
    assert isinstance(await scene.attempt(), Written)
    assert scene.log.store_failures == ["save_answer: gone"]


async def test_a_paid_answer_is_never_paid_for_again() -> None:
    """Proves that a crash after paying costs no second call and keeps its totals."""
    scene = Scene(answer())
    step = await scene.attempt(paid=paid())
    assert isinstance(step, Written)
    assert (step.source, step.prompt_version) == (Source.RESULT_STORE, "story.v0")
    assert not scene.model.calls
    assert (scene.progress.calls, scene.progress.cost_pico_usd) == (2, 7)


async def test_a_replay_reuses_the_answer_without_charging_it_twice() -> None:
    """Proves that the cost of the first attempt is not told again by the second."""
    scene = Scene(answer())
    step = await scene.attempt(paid=paid(), identity=RequestIdentity("/shop", "r-1", 2))
    assert isinstance(step, Written)
    assert (scene.progress.calls, scene.progress.cost_pico_usd) == (0, 0)
    assert scene.progress.billed is False


async def test_a_paid_answer_that_fails_the_checks_leads_to_one_call() -> None:
    """Proves that a recovery goes on where the crash was, with its one rewrite used."""
    scene = Scene(answer("nonsense"))
    step = await scene.attempt(paid=paid("nonsense"))
    assert isinstance(step, Rejected)
    assert (step.code, step.stage) == (ErrorCode.PROVIDER_BAD_RESPONSE, Stage.CHECK_OUTPUT)
    assert scene.progress.calls == 3


async def test_a_recovered_refusal_is_not_asked_about_again() -> None:
    """Proves that a final answer stays final after a crash."""
    scene = Scene(answer())
    step = await scene.attempt(paid=paid(finish_reason="content_filter"))
    assert code_of(step) is ErrorCode.CONTENT_BLOCKED
    assert not scene.model.calls


async def test_a_replay_of_a_bad_answer_asks_the_model() -> None:
    """Proves that only an answer that passes is reused by a replay."""
    scene = Scene(answer())
    step = await scene.attempt(paid=paid("bad"), identity=RequestIdentity("/shop", "r-1", 2))
    assert isinstance(step, Written)
    assert (step.source, scene.progress.tries) == (Source.MODEL, 0)


async def test_a_replay_of_a_refusal_asks_the_model() -> None:
    """Proves that an operator's replay is a new attempt, whatever ended the first."""
    scene = Scene(answer())
    refused = paid(finish_reason="content_filter")
    step = await scene.attempt(paid=refused, identity=RequestIdentity("/shop", "r-1", 2))
    assert isinstance(step, Written)


async def test_a_paid_answer_is_looked_at_once() -> None:
    """Proves that a handler may pass it with every try of the record."""
    scene = Scene(DOWN, answer())
    assert isinstance(await scene.attempt(paid=paid("bad")), TryAgain)
    assert isinstance(await scene.attempt(paid=paid("bad")), Written)
    assert (scene.progress.tries, scene.progress.calls) == (2, 4)


async def test_failures_wait_longer_each_time_until_the_tries_are_used_up() -> None:
    """Proves the doubling wait and that the third failure is the last."""
    scene = Scene(DOWN)
    steps = [await scene.attempt() for _ in range(3)]
    assert steps[:2] == [
        TryAgain(0.5, ErrorCode.PROVIDER_UNAVAILABLE),
        TryAgain(1.0, ErrorCode.PROVIDER_UNAVAILABLE),
    ]
    assert isinstance(steps[2], Rejected)
    assert steps[2].code is ErrorCode.PROVIDER_UNAVAILABLE
    assert (scene.progress.tries, scene.progress.calls, scene.progress.billed) == (3, 3, False)


async def test_retry_after_of_a_failing_provider_is_obeyed() -> None:
    """Proves that a 503 with Retry-After is not asked sooner, and not past the deadline."""
    slow = Fault(FaultKind.HTTP, status=503, retry_after_s=20.0)
    assert await Scene(slow).attempt() == TryAgain(20.0, ErrorCode.PROVIDER_UNAVAILABLE)
    step = await Scene(slow).attempt(deadline=START + 5)
    assert step == TryAgain(5.0, ErrorCode.PROVIDER_UNAVAILABLE)


async def test_a_wait_beyond_the_deadline_ends_with_the_providers_code() -> None:
    """Proves that the request is published at its deadline, as held by the provider."""
    scene = Scene(Fault(FaultKind.HTTP, status=503, retry_after_s=500.0))
    step = await scene.attempt()
    assert isinstance(step, TryAgain)
    scene.time += step.after_s
    assert code_of(await scene.attempt()) is ErrorCode.PROVIDER_UNAVAILABLE
    assert scene.progress.calls == 1


async def test_a_429_uses_no_try_and_holds_every_call_of_the_model() -> None:
    """Proves the gate's first form, for the one refused and for all others."""
    scene = Scene(Fault(FaultKind.HTTP, status=429, retry_after_s=8.0), answer())
    limited = ErrorCode.PROVIDER_RATE_LIMITED
    assert await scene.attempt() == TryAgain(0.0, limited)
    assert await scene.attempt() == TryAgain(8.0, limited)
    scene.time += 3
    assert await scene.attempt(progress=Progress()) == TryAgain(5.0, limited)
    assert (scene.progress.tries, len(scene.model.calls)) == (0, 1)
    scene.time += 5
    assert isinstance(await scene.attempt(), Written)
    assert scene.breaker.state is State.CLOSED


async def test_a_429_until_the_deadline_ends_as_rate_limited() -> None:
    """Proves the code of a request the provider never let in."""
    scene = Scene(Fault(FaultKind.HTTP, status=429, retry_after_s=50.0))
    await scene.attempt(deadline=START + 10)
    scene.time += 10
    step = await scene.attempt(deadline=START + 10)
    assert code_of(step) is ErrorCode.PROVIDER_RATE_LIMITED


@pytest.mark.parametrize("fault", [NO_KEY, Fault(FaultKind.HTTP, 429, "insufficient_quota")])
async def test_wrong_credentials_cost_no_request_that_has_time(fault: Fault) -> None:
    """Proves that requests wait through failing trials and are written once it is mended."""
    scene = Scene(fault, fault, answer())
    for _ in range(2):
        step = await scene.attempt()
        assert isinstance(step, AwaitBreaker)
        assert isinstance(await scene.attempt(), AwaitBreaker)
        scene.time += 15
    assert isinstance(await scene.attempt(), Written)
    assert scene.progress.tries == 0


async def test_wrong_credentials_end_a_request_only_at_its_deadline() -> None:
    """Proves the code of a request that waited for an operator."""
    scene = Scene(NO_KEY)
    await scene.attempt()
    scene.time += 301
    assert code_of(await scene.attempt()) is ErrorCode.PROVIDER_AUTH


async def test_a_breaker_held_closed_lets_credentials_be_tried_on() -> None:
    """Proves that an operator's order turns parking into patient retries."""
    scene = Scene(NO_KEY)
    scene.breaker.set_mode(Mode.CLOSED, START)
    for _ in range(6):
        assert isinstance(await scene.attempt(), TryAgain)
    assert scene.progress.tries == 0


async def test_an_open_breaker_parks_without_a_call() -> None:
    """Proves that nothing reaches a provider that is down."""
    scene = Scene(answer())
    scene.open_breaker()
    step = await scene.attempt()
    assert step == AwaitBreaker(ErrorCode.PROVIDER_UNAVAILABLE, "some")
    assert not scene.model.calls


async def test_an_outage_gives_back_the_tries_of_everybody_it_hit() -> None:
    """Proves it for failures before the opening, at it, and in failed trials."""
    policy = BreakerPolicy(consecutive_failures=4, half_open_calls=1)
    scene = Scene(DOWN, breaker=policy)
    early, late = Progress(), Progress()
    for _ in range(2):
        assert isinstance(await scene.attempt(progress=early), TryAgain)
    assert isinstance(await scene.attempt(progress=late), TryAgain)
    assert (early.tries, late.tries) == (2, 1)
    assert isinstance(await scene.attempt(progress=late), AwaitBreaker)
    assert isinstance(await scene.attempt(progress=early), AwaitBreaker)
    assert (early.tries, late.tries, early.of("some").spent) == (0, 0, [])
    for _ in range(5):
        scene.time += 15
        assert isinstance(await scene.attempt(progress=late), AwaitBreaker)
    assert (late.tries, late.calls) == (0, 7)
    scene.model.script = [answer()]
    scene.time += 15
    assert isinstance(await scene.attempt(progress=late), Written)


async def test_an_outage_also_gives_back_the_single_try_of_a_dropped_call() -> None:
    """Proves that "exactly once more" is not used up by an outage."""
    scene = Scene(CUT, breaker=BreakerPolicy(consecutive_failures=2))
    first, second = Progress(), Progress()
    await scene.attempt(progress=first)
    await scene.attempt(progress=second)
    scene.time += 15
    scene.model.script = [answer("bad")]
    assert isinstance(await scene.attempt(progress=first), TryAgain)
    assert (first.tries, first.of("some").repairs) == (1, Repair.REWRITTEN)


async def test_a_dropped_call_is_tried_once_more_and_may_have_been_billed() -> None:
    """Proves the single repetition and the honest `billed`."""
    scene = Scene(CUT)
    assert isinstance(await scene.attempt(), TryAgain)
    step = await scene.attempt()
    assert code_of(step) is ErrorCode.PROVIDER_TIMEOUT
    assert (scene.progress.calls, scene.progress.billed) == (2, None)


async def test_text_that_is_no_story_is_asked_for_once_more_at_once() -> None:
    """Proves the repair of bad JSON and of a wrong length, which share their one try."""
    scene = Scene(answer("bad"), answer(json.dumps({"title": "T", "content": "short"})))
    assert await scene.attempt() == TryAgain(0.0, ErrorCode.PROVIDER_BAD_RESPONSE)
    step = await scene.attempt()
    assert code_of(step) is ErrorCode.PROVIDER_BAD_RESPONSE
    assert scene.breaker.state is State.CLOSED
    assert scene.progress.cost_pico_usd == 100


async def test_a_cut_off_story_gets_more_room_once() -> None:
    """Proves the doubled limit and the code when that is not enough either."""
    scene = Scene(answer("{", "length"))
    assert await scene.attempt() == TryAgain(0.0, ErrorCode.OUTPUT_TRUNCATED)
    assert code_of(await scene.attempt()) is ErrorCode.OUTPUT_TRUNCATED
    assert [call["max_output_tokens"] for call in scene.model.calls] == [1_600, 3_200]


async def test_more_room_is_never_more_than_the_setting_allows() -> None:
    """Proves that it bounds what any call can cost."""
    scene = Scene(answer("{", "length"), answer(), max_output_tokens=500)
    await scene.attempt()
    assert isinstance(await scene.attempt(), Written)
    assert [call["max_output_tokens"] for call in scene.model.calls] == [500, 500]


async def test_more_room_than_the_model_has_leaves_the_story_cut_off() -> None:
    """Proves that a refusal of the raised limit is no fault of the request's."""
    scene = Scene(answer("{", "length"), Fault(FaultKind.HTTP, 400))
    await scene.attempt()
    assert code_of(await scene.attempt()) is ErrorCode.OUTPUT_TRUNCATED
    assert code_of(await Scene(Fault(FaultKind.HTTP, 400)).attempt()) is (
        ErrorCode.PROVIDER_BAD_RESPONSE
    )


@pytest.mark.parametrize(
    "flaw", [answer("{", "length"), answer("no story"), answer(finish_reason=None), CUT]
)
@pytest.mark.parametrize("before", [0, 2])
async def test_what_one_more_try_can_mend_gets_it_whatever_was_tried_before(
    flaw: Script, before: int
) -> None:
    """Proves that it is exactly one, also where the tries are used up."""
    scene = Scene(*[DOWN] * before, flaw, answer(), max_tries=before + 1)
    assert isinstance(await ended(scene), Written)
    scene = Scene(*[DOWN] * before, flaw, max_tries=before + 1)
    assert isinstance(await ended(scene), Rejected)
    assert scene.progress.calls == before + 2


@pytest.mark.parametrize("failure", [DOWN, answer("no story")])
async def test_a_retry_the_budget_cannot_pay_in_time_is_not_made(failure: Script) -> None:
    """Proves that the request ends as if its tries were used up, and takes no token."""
    scene = Scene(failure, answer())
    while scene.budget.take(START, 9.9) is not None:
        pass
    assert isinstance(await scene.attempt(deadline=START + 9), Rejected)
    assert scene.budget.take(START, 10.2) is not None


async def test_a_wait_beyond_the_deadline_takes_nothing_from_the_budget() -> None:
    """Proves that who cannot try again does not put off who can."""
    down = Fault(FaultKind.HTTP, status=503, retry_after_s=500.0)
    scene = Scene(down, breaker=BreakerPolicy(minimum_calls=999, consecutive_failures=999))
    for _ in range(100):
        await scene.attempt(progress=Progress())
    assert scene.budget.take(scene.time, 0.0) == 0.0


@pytest.mark.parametrize("reason", [None, "", "error"])
async def test_an_answer_without_an_end_counts_against_the_provider(reason: str | None) -> None:
    """Proves that a missing or unknown finish reason is a failure, tried once more."""
    scene = Scene(answer(finish_reason=reason), breaker=BreakerPolicy(consecutive_failures=2))
    assert isinstance(await scene.attempt(), TryAgain)
    assert isinstance(await scene.attempt(), AwaitBreaker)


@pytest.mark.parametrize(
    "refused",
    [answer(refusal="no"), answer(finish_reason="content_filter"), answer("  ")],
)
async def test_a_refusal_is_final(refused: ModelAnswer) -> None:
    """Proves that a model that declines is not asked again."""
    step = await Scene(refused).attempt()
    assert isinstance(step, Rejected)
    assert (step.code, step.stage) == (ErrorCode.CONTENT_BLOCKED, Stage.CHECK_OUTPUT)


async def test_the_deadline_cuts_a_slow_call() -> None:
    """Proves the code when only the model was slow, and that the bill is in doubt."""
    scene = Scene(None)
    step = await scene.attempt(deadline=START + 0.01)
    assert code_of(step) is ErrorCode.DEADLINE_EXCEEDED
    assert scene.progress.billed is None
    assert scene.log.outcomes == ["cut"]


async def test_our_own_deadlines_open_no_breaker() -> None:
    """Proves that requests with little time cannot stop everybody else's calls."""
    scene = Scene(None, breaker=BreakerPolicy(consecutive_failures=1))
    await scene.attempt(deadline=START + 0.01)
    assert scene.breaker.state is State.CLOSED


async def test_a_trial_that_the_gate_holds_keeps_no_slot() -> None:
    """Proves that waiting for a rate limit in half-open leaves the slot to others."""
    limited = Fault(FaultKind.HTTP, status=429, retry_after_s=30.0)
    scene = Scene(limited, breaker=BreakerPolicy(half_open_calls=1))
    await scene.attempt()
    scene.open_breaker()
    scene.time += 15
    assert await scene.attempt() == TryAgain(15.0, ErrorCode.PROVIDER_RATE_LIMITED)
    assert scene.breaker.allow(scene.time) is not None


async def test_the_deadline_during_a_retry_tells_the_providers_failure() -> None:
    """Proves that an earlier failure of this request decides its code."""
    scene = Scene(DOWN, None)
    await scene.attempt()
    step = await scene.attempt(deadline=START + 0.01)
    assert code_of(step) is ErrorCode.PROVIDER_UNAVAILABLE


async def test_a_call_beyond_its_time_limit_is_the_providers_fault() -> None:
    """Proves that the limit of one call is a time-out, unlike the deadline."""
    scene = Scene(None, timeout_s=0.01)
    step = await scene.attempt()
    assert step == TryAgain(0.5, ErrorCode.PROVIDER_TIMEOUT)


async def test_a_request_past_its_deadline_makes_no_call() -> None:
    """Proves that late costs nothing."""
    scene = Scene(answer())
    step = await scene.attempt(deadline=START)
    assert code_of(step) is ErrorCode.DEADLINE_EXCEEDED
    assert not scene.model.calls


async def test_the_code_at_a_deadline_is_known_long_after_it() -> None:
    """Proves that an outage that is over still explains a record read late."""
    scene = Scene(answer())
    scene.open_breaker(ErrorCode.PROVIDER_QUOTA)
    scene.time += 20
    scene.breaker.set_mode(Mode.AUTO, scene.time)
    codes = [scene.generator.code_at_deadline(Progress(), START + at) for at in (-1, 5, 25)]
    assert codes == [
        ErrorCode.DEADLINE_EXCEEDED,
        ErrorCode.PROVIDER_QUOTA,
        ErrorCode.DEADLINE_EXCEEDED,
    ]


async def test_an_outage_that_is_over_does_not_explain_a_slow_call() -> None:
    """Proves that what a request once waited out is forgotten when it gets its call."""
    scene = Scene(None)
    scene.open_breaker()
    await scene.attempt()
    scene.breaker.set_mode(Mode.AUTO, START + 1)
    scene.time += 2
    step = await scene.attempt(deadline=START + 2.01)
    assert code_of(step) is ErrorCode.DEADLINE_EXCEEDED


async def test_a_request_that_was_parked_but_only_queued_at_its_deadline_was_late() -> None:
    """Proves that the instant of the deadline decides, not what was waited out before."""
    scene = Scene(answer())
    scene.open_breaker()
    assert isinstance(await scene.attempt(), AwaitBreaker)
    scene.breaker.set_mode(Mode.AUTO, START + 100)
    scene.time += 400
    assert code_of(await scene.attempt()) is ErrorCode.DEADLINE_EXCEEDED


async def test_a_cancelled_trial_frees_its_slot() -> None:
    """Proves that a drain or a cancel in half-open blocks nobody."""
    scene = Scene(None, breaker=BreakerPolicy(half_open_calls=1))
    scene.open_breaker()
    scene.time += 15
    trial = asyncio.create_task(scene.attempt())
    await scene.model.called.wait()
    assert scene.breaker.allow(scene.time) is None
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    assert scene.breaker.allow(scene.time) is not None
    assert scene.progress.billed is None


async def test_a_bug_in_the_model_port_frees_its_slot() -> None:
    """Proves that an error of our own is not hidden and leaves nothing behind."""

    def stumble() -> None:
        raise ZeroDivisionError

    scene = Scene(stumble, breaker=BreakerPolicy(half_open_calls=1))
    scene.open_breaker()
    scene.time += 15
    with pytest.raises(ZeroDivisionError):
        await scene.attempt()
    assert scene.breaker.allow(scene.time) is not None


async def test_while_another_turn_calls_no_call_is_made_and_no_trial_taken() -> None:
    """Proves that waiting for somebody else's answer costs neither a try nor a slot."""
    scene = Scene(answer(), breaker=BreakerPolicy(half_open_calls=1))
    scene.open_breaker()
    scene.time += 15
    assert await scene.attempt(busy=True) == UnderWay(0.3)
    assert await scene.attempt(busy=True, deadline=scene.time + 0.25) == UnderWay(0.25)
    assert (scene.progress.tries, scene.model.calls, scene.progress.billed) == (0, [], None)
    assert isinstance(await scene.attempt(), Written)


async def test_a_request_may_name_its_model() -> None:
    """Proves that model, breaker and price are those of the request; no price, no cost."""
    scene = Scene(answer())
    scene.open_breaker()
    request = REQUEST.model_copy(update={"model": "other"})
    assert isinstance(await scene.attempt(request=request), Written)
    assert scene.model.calls[0]["model"] == "other"
    assert scene.progress.cost_pico_usd is None


async def test_an_answer_without_usage_has_no_known_cost() -> None:
    """Proves null instead of zero."""
    scene = Scene(answer(usage=None))
    await scene.attempt()
    assert (scene.progress.cost_pico_usd, scene.progress.billed) == (None, True)


async def test_a_story_that_repeats_our_rules_is_not_published() -> None:
    """Proves that the output checks stand before every story, and that nobody asks again."""
    scene = Scene(answer())
    await scene.attempt()
    leaked = scene.model.calls[0]["prompt"].canary
    scene.progress = Progress()
    scene.model.script = [answer(json.dumps({"title": "T", "content": f"{leaked} " * 200}))]
    step = await scene.attempt()
    assert isinstance(step, Rejected)
    assert (step.code, step.stage) == (ErrorCode.CONTENT_BLOCKED, Stage.CHECK_OUTPUT)


async def test_an_answer_has_room_by_the_length_of_its_story() -> None:
    """Proves the limit that is sent when no setting has one."""
    scene = Scene(answer())
    await scene.attempt()
    assert scene.model.calls[0]["max_output_tokens"] == 1_600


async def test_a_try_the_log_has_counted_is_not_counted_again() -> None:
    """After a restart a cut-off answer still gets its one more try, with more room."""
    scene = Scene(answer())
    scene.progress = Progress.of_former_owner(2, Withdrawal())
    step = await scene.attempt(paid=paid("{", finish_reason="length"))
    assert isinstance(step, Written)
    assert scene.model.calls[0]["max_output_tokens"] == 3_200


async def test_a_canary_of_a_former_process_is_found_in_its_answer() -> None:
    """It is kept with the answer."""
    leak = json.dumps({"title": "T", "content": "word " * 199 + "c0ffee-42"})
    step = await Scene(answer()).attempt(paid=paid(leak, canary="c0ffee-42"))
    assert code_of(step) is ErrorCode.CONTENT_BLOCKED
