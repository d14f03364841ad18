"""What the provider's moderation says of a request and of its story, each asked about once."""

from typing import Final

import structlog

from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.generation import classification
from jiraiya_events.generation.bounded_call import Cut
from jiraiya_events.generation.classification import Flaw
from jiraiya_events.generation.endings import Endings
from jiraiya_events.generation.moderating import Moderator
from jiraiya_events.generation.safety.output_check import note
from jiraiya_events.generation.steps import Rejected, Step, Written
from jiraiya_events.generation.turn import Turn

log = structlog.get_logger(__name__)

_UNWANTED: Final = "This request cannot be made into a story."


class Review:
    """Without a moderator everything passes; our own checks come before this one."""

    def __init__(self, moderator: Moderator | None, endings: Endings) -> None:
        self._moderator = moderator
        self._endings = endings

    async def request(self, turn: Turn) -> Step | None:
        """Return what stands against asking a model; None when nothing does."""
        progress = turn.progress
        if self._moderator is None or progress.input_passed:
            return None
        flagged = await self._moderator.flags(turn, turn.prompt.user, "request")
        if isinstance(flagged, Cut):
            return self._endings.cut_short(turn)
        if not isinstance(flagged, frozenset):
            return flagged
        progress.input_passed = not flagged
        progress.wait_out(None)
        if not flagged:
            return None
        log.warning("a request did not pass the moderation", categories=sorted(flagged))
        return Rejected(ErrorCode.PROMPT_REJECTED, _UNWANTED, Stage.ADMIT)

    async def release(self, turn: Turn, story: Written) -> Step:
        """Return the story if it may go out; it is kept for another look when that must wait."""
        if self._moderator is None:
            return story
        turn.progress.unreleased = story
        text = f"{story.story.title}\n\n{story.story.content}"
        flagged = await self._moderator.flags(turn, text, "story")
        if isinstance(flagged, Cut):
            return self._endings.cut_short(turn)
        if not isinstance(flagged, frozenset):
            return flagged
        if not flagged:
            return story
        note("moderation", sorted(flagged))
        message = classification.of_flaw(Flaw.UNFIT).message
        return Rejected(ErrorCode.CONTENT_BLOCKED, message, Stage.CHECK_OUTPUT)
