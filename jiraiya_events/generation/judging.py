"""Whether an answer is a story that may be published."""

from dataclasses import replace

from jiraiya_events.domain.outcome import Source
from jiraiya_events.domain.story import Safety, Story
from jiraiya_events.generation.answer import read_answer
from jiraiya_events.generation.checks import check
from jiraiya_events.generation.classification import Flaw
from jiraiya_events.generation.paid import ModelAnswer, PaidAnswer
from jiraiya_events.generation.safety.output_check import check_draft, note
from jiraiya_events.generation.steps import Written
from jiraiya_events.generation.turn import Turn

_CHECKED = Safety(input_checked=True, output_checked=True)


def judge(answer: ModelAnswer | PaidAnswer, turn: Turn) -> Story | Flaw:
    """Return the story in `answer`, or why there is none that may be published."""
    draft = read_answer(answer)
    if isinstance(draft, Flaw):
        if draft is Flaw.BLOCKED:
            note(draft)
        return draft
    story = check(draft, turn.request)
    if isinstance(story, Flaw):
        return story
    prompt = turn.prompt
    if isinstance(answer, PaidAnswer):
        # It may be of a former process, whose prompt had another canary.
        prompt = replace(prompt, canary=answer.canary or prompt.canary)
    return check_draft(draft, turn.request, prompt) or story


def written(
    story: Story, answer: ModelAnswer | PaidAnswer, prompt_version: str, source: Source
) -> Written:
    """Return the step of a story that passed every check."""
    return Written(story, answer.model, answer.provider, prompt_version, source, _CHECKED)
