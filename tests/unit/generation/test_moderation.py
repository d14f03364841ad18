"""The provider's moderation: before the model is asked, and before a story goes out."""

import pytest
from structlog.testing import capture_logs

from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.outcome import Source
from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.breaker import BreakerPolicy
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.steps import AwaitBreaker, Rejected, TryAgain, Written
from jiraiya_events.generation.withdrawal import Withdrawal
from tests.unit.generation.scene import DOWN, NO_KEY, Scene, answer, code_of, paid
from tests.unit.generation.test_sharing_answers import Shelf

LIMITED = Fault(FaultKind.HTTP, 429)
REFUSED = Fault(FaultKind.REFUSED)


class Censor:
    """Answers by a script; the last entry repeats."""

    def __init__(self, *script: bool | Fault) -> None:
        self.script = list(script)
        self.texts: list[str] = []

    async def flagged(self, text: str, audience: Audience = Audience.CHILDREN) -> frozenset[str]:
        """Follow the script."""
        self.texts.append(text)
        entry = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(entry, Fault):
            raise CallFault(entry)
        return frozenset({"violence", "hate"}) if entry else frozenset()


async def test_both_texts_are_looked_at_once() -> None:
    """Proves what is asked about, and that the story goes out."""
    censor = Censor(False)
    scene = Scene(answer(), moderation=censor)
    assert isinstance(await scene.attempt(), Written)
    request, story = censor.texts
    assert "a fox" in request
    assert story.startswith("The Fox\n\nword")


async def test_a_flagged_request_costs_no_call() -> None:
    """Proves the code and the stage."""
    scene = Scene(answer(), moderation=Censor(True))
    with capture_logs() as lines:
        step = await scene.attempt()
    assert isinstance(step, Rejected)
    assert (step.code, step.stage) == (ErrorCode.PROMPT_REJECTED, Stage.ADMIT)
    assert not scene.model.calls
    assert [line["categories"] for line in lines] == [["hate", "violence"]]


async def test_a_flagged_story_is_never_published() -> None:
    """Proves the code, and that no other model is asked for one that passes."""
    scene = Scene(answer(), moderation=Censor(False, True))
    with capture_logs() as lines:
        step = await scene.attempt()
    assert isinstance(step, Rejected)
    assert (step.code, step.stage) == (ErrorCode.CONTENT_BLOCKED, Stage.CHECK_OUTPUT)
    assert [(line["flaw"], line["rules"]) for line in lines] == [
        ("moderation", ["hate", "violence"])
    ]


@pytest.mark.parametrize("fault", [DOWN, REFUSED, Fault(FaultKind.TIMEOUT), LIMITED])
async def test_moderation_out_of_reach_is_tried_again_and_then_ends_the_request(
    fault: Fault,
) -> None:
    """Proves that text it could not see is never passed on, in either direction."""
    scene = Scene(answer(), moderation=Censor(fault))
    for _ in range(2):
        assert isinstance(await scene.attempt(), TryAgain)
    step = await scene.attempt()
    assert isinstance(step, Rejected)
    assert step.code is ErrorCode.PROVIDER_UNAVAILABLE
    assert not scene.model.calls


async def test_a_paid_story_waits_for_its_check_without_being_written_again() -> None:
    """Proves one call of the model however often moderation fails."""
    scene = Scene(answer(), moderation=Censor(False, DOWN, False))
    step = await scene.attempt()
    assert isinstance(step, TryAgain)
    scene.time += step.after_s
    story = await scene.attempt()
    assert isinstance(story, Written)
    assert (len(scene.model.calls), story.source) == (1, Source.MODEL)


async def test_a_recovered_story_is_looked_at_too() -> None:
    """Proves that a crash between payment and check opens no way around it."""
    censor = Censor(True)
    scene = Scene(answer(), moderation=censor)
    step = await scene.attempt(paid=paid())
    assert isinstance(step, Rejected)
    assert (step.code, len(censor.texts)) == (ErrorCode.CONTENT_BLOCKED, 1)


async def test_an_outage_of_moderation_costs_no_request_that_has_time() -> None:
    """Proves that its breaker parks requests at a place of its own and gives tries back."""
    scene = Scene(answer(), moderation=Censor(DOWN), breaker=BreakerPolicy(consecutive_failures=2))
    await scene.attempt()
    step = await scene.attempt()
    assert step == AwaitBreaker(ErrorCode.PROVIDER_UNAVAILABLE, "moderation")
    assert scene.progress.tries == 0
    assert scene.breaker.opened_code is None
    late = await scene.attempt(deadline=scene.time)
    assert isinstance(late, Rejected)
    assert late.code is ErrorCode.PROVIDER_UNAVAILABLE


async def test_a_refused_key_of_moderation_is_waited_out() -> None:
    """Proves that it opens the breaker at once, and is told as unavailable."""
    scene = Scene(answer(), moderation=Censor(NO_KEY))
    step = await scene.attempt()
    assert step == AwaitBreaker(ErrorCode.PROVIDER_UNAVAILABLE, "moderation")


async def test_tries_of_the_check_are_not_tries_of_the_model() -> None:
    """They do not travel with the record, and each text has its own."""
    before = Scene(answer(), moderation=Censor(DOWN))
    for _ in range(2):
        await before.attempt()
    assert (before.progress.tries, before.progress.calls) == (0, 0)
    both = Scene(answer(), moderation=Censor(DOWN, DOWN, False, DOWN, DOWN, False))
    for _ in range(4):
        step = await both.attempt()
        assert isinstance(step, TryAgain)
        both.time += step.after_s
    assert isinstance(await both.attempt(), Written)


async def test_tries_of_a_former_owner_are_the_models() -> None:
    """A check that comes first does not take them."""
    scene = Scene(DOWN, moderation=Censor(False))
    scene.progress = Progress.of_former_owner(2, Withdrawal())
    assert isinstance(await scene.attempt(), Rejected)


async def test_a_check_that_failed_once_does_not_explain_a_slow_model() -> None:
    """What was waited out is over when the text has passed."""
    scene = Scene(None, moderation=Censor(DOWN, False))
    await scene.attempt()
    scene.time += 2
    step = await scene.attempt(deadline=scene.time + 0.05)
    assert code_of(step) is ErrorCode.DEADLINE_EXCEEDED


async def test_a_flagged_story_is_nobody_else_s() -> None:
    """Proves that the response cache has only what was released."""
    shelf = Shelf()
    scene = Scene(answer(), moderation=Censor(False, True, False), cache=shelf)
    assert isinstance(await scene.attempt(), Rejected)
    assert shelf.answers == {}
