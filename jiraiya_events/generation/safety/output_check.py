"""The checks of what a story says, beside those of its form."""

from collections.abc import Iterable

import structlog

from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.answer import Draft
from jiraiya_events.generation.classification import Flaw
from jiraiya_events.generation.prompt import Prompt
from jiraiya_events.generation.safety.age_bands import broken_by, found_in
from jiraiya_events.generation.safety.leak import leaks

log = structlog.get_logger(__name__)


def check_draft(draft: Draft, request: StoryRequested, prompt: Prompt) -> Flaw | None:
    """Return why this draft must not be published, None when nothing speaks against it."""
    text = f"{draft.title}\n{draft.content}"
    if leaks(text, prompt.system_texts, prompt.canary):
        note(Flaw.LEAKED)
        return Flaw.LEAKED
    if rules := broken_by(found_in(text, request.audience)):
        note(Flaw.UNFIT, rules)
        return Flaw.UNFIT
    return None


def note(flaw: str, rules: Iterable[str] = ()) -> None:
    """Tell the operator alone why a story did not pass: in ids, never in its own words."""
    log.warning("a story did not pass", flaw=str(flaw), rules=list(rules))
