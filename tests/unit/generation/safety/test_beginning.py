"""The checks of a story that is still being written."""

import asyncio

import pytest

from jiraiya_events.domain.request import Audience, StoryRequested
from jiraiya_events.domain.signals import StoryProgress
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.prompt_book import PromptBook
from jiraiya_events.generation.safety.beginning import Beginning
from jiraiya_events.handlers.progress_feed import EVERY_S, ProgressFeed
from jiraiya_events.testing.virtual_time import run_virtual

CANARY = "4f8a2c9d01ee"
PROMPT = PromptBook(canary=CANARY).render(StoryRequested(user_id="u", keywords=["a fox"]))
SYSTEM = PROMPT.system_text(AnswerForm.TEXT).replace(CANARY, "")
TALE = "The fox went down to the harbour and looked at the boats for a while. " * 40


def said(text: str, audience: Audience = Audience.CHILDREN) -> str:
    """Return what a feed says of this text while it arrives, forty letters at a time."""

    async def main() -> str:
        pieces: list[StoryProgress] = []
        feed = ProgressFeed("r1", pieces.append, fit=Beginning(audience, PROMPT).passes)
        for at in range(0, len(text), 40):
            feed.text(text[at : at + 40])
            await asyncio.sleep(EVERY_S)
        feed.end(None)
        return "".join(piece.delta for piece in pieces)

    return run_virtual(main())


def test_a_tale_is_said_to_its_end() -> None:
    """Proves that nothing is found where nothing is, however long it becomes."""
    assert said(TALE).rstrip() == TALE.strip()


@pytest.mark.parametrize("before", ["", TALE])
@pytest.mark.parametrize("sign", ["", "\u200b"])
def test_of_our_rules_a_few_words_go_out_at_most(before: str, sign: str) -> None:
    """Proves it for the text as it is and with unseen signs, at once and late in a story."""
    system = " ".join(f"{word[0]}{sign}{word[1:]}" for word in SYSTEM.split())
    told = said(f"{before}{system}").removeprefix(before)
    assert len(told.split()) <= 7


def test_the_canary_is_found_where_its_letters_arrive_one_by_one() -> None:
    """Proves it for one that begins in one look and ends in another."""
    told = said(f"{TALE} It sang {', '.join(CANARY)}, and all was well. The end.")
    assert CANARY not in "".join(filter(str.isalnum, told))
    assert "The end" not in told


def test_harsh_words_add_up_from_the_beginning_to_the_end() -> None:
    """Proves that what was read long ago still counts, and that one slip passes."""
    once = f"The bastard ran. {TALE} And he was gone."
    assert said(once).endswith("gone.")
    twice = f"The bastard ran. {TALE} And the twat was gone."
    assert "twat" not in said(twice)
    assert "twat" in said(twice, Audience.TEENS)


def test_half_a_word_is_not_read_as_a_word() -> None:
    """Proves it where a look begins: with the word, not within it."""
    beginning = Beginning(Audience.CHILDREN, PROMPT)
    for more in range(40):
        assert beginning.passes("Xcunt " * 200 + "." * more)


def test_a_phrase_may_lie_across_two_looks() -> None:
    """Proves that each look reads again what a phrase can begin with."""
    beginning = Beginning(Audience.CHILDREN, PROMPT)
    assert beginning.passes(f"{TALE}They had ")
    assert not beginning.passes(f"{TALE}They had sex ")
