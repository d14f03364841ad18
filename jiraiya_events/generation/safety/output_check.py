"""The checks of what a story says, beside those of its form."""

from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.answer import Draft
from jiraiya_events.generation.classification import Flaw
from jiraiya_events.generation.prompt import Prompt
from jiraiya_events.generation.safety.age_bands import broken_by, found_in
from jiraiya_events.generation.safety.leak import leaks


def check_draft(draft: Draft, request: StoryRequested, prompt: Prompt) -> Flaw | None:
    """Return why this draft must not be published, None when nothing speaks against it."""
    text = f"{draft.title}\n{draft.content}"
    if leaks(text, prompt.system_texts, prompt.canary):
        return Flaw.LEAKED
    return Flaw.UNFIT if broken_by(found_in(text, request.audience)) else None
