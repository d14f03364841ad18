"""The checks a draft must pass to become a story."""

from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.domain.story import Story
from jiraiya_events.domain.words import count_words
from jiraiya_events.generation.answer import Draft
from jiraiya_events.generation.classification import Flaw


def check(draft: Draft, request: StoryRequested) -> Story | Flaw:
    """Return the story, or the flaw when its length is outside 0.4 to 2 times the aim."""
    words = count_words(draft.content)
    aim = request.length.words
    # In whole numbers: 0.4 times is two fifths.
    if not 2 * aim <= 5 * words <= 10 * aim:
        return Flaw.WRONG_LENGTH
    return Story(
        title=draft.title,
        content=draft.content,
        language=request.language,
        word_count=words,
    )
