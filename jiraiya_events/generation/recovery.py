"""Answers nobody needs to pay for: the request's own, from before a crash, or an equal wish's."""

from collections.abc import Callable

from jiraiya_events.domain.outcome import Source
from jiraiya_events.domain.story import Story
from jiraiya_events.generation import classification, consequences
from jiraiya_events.generation.archive import Archive
from jiraiya_events.generation.classification import Flaw
from jiraiya_events.generation.judging import judge, written
from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.review import Review
from jiraiya_events.generation.steps import Rejected, Step
from jiraiya_events.generation.turn import Turn


class Recovery:
    """Each kind is looked at once a request; `flawed` decides on an answer that is no story."""

    def __init__(
        self, archive: Archive, review: Review, flawed: Callable[[Turn, Flaw], Step]
    ) -> None:
        self._archive = archive
        self._review = review
        self._flawed = flawed

    async def own(self, turn: Turn, paid: PaidAnswer) -> Step | None:
        """Use an answer that is paid for already; None when a model has to be asked."""
        progress = turn.progress
        progress.recovered = True
        same_attempt = paid.attempt == turn.identity.attempt
        counted = paid.calls <= progress.calls
        if same_attempt:
            progress.take_over(paid.calls, paid.usage, paid.cost_pico_usd)
        judged = judge(paid, turn)
        if isinstance(judged, Story):
            step = written(judged, paid, paid.prompt_version, Source.RESULT_STORE)
            return await self._review.release(turn, step)
        if not same_attempt:
            return None
        if counted:
            # Its try is among those the log has kept.
            return consequences.after_known_flaw(turn, classification.of_flaw(judged))
        ended = self._flawed(turn, judged)
        return ended if isinstance(ended, Rejected) else None

    async def shared(self, turn: Turn) -> Step | None:
        """Use the answer that an equal wish got a short while ago."""
        if turn.progress.sought_in_cache:
            return None
        turn.progress.sought_in_cache = True
        answer = await self._archive.shared(turn)
        judged = None if answer is None else judge(answer, turn)
        if answer is None or not isinstance(judged, Story):
            return None
        step = written(judged, answer, answer.prompt_version, Source.RESPONSE_CACHE)
        return await self._review.release(turn, step)
