"""The progress of one request, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from jiraiya_events.domain.signals import StoryProgress
from jiraiya_events.handlers.progress_feed import (
    EVERY_S,
    LONGEST_DELTA,
    LONGEST_TEXT,
    ProgressFeed,
)
from jiraiya_events.testing.virtual_time import run_virtual


class Heard:
    """Takes the pieces of a feed, with the second at which each came."""

    def __init__(self, **options: Any) -> None:
        self.pieces: list[StoryProgress] = []
        self.times: list[float] = []
        self.feed = ProgressFeed("r1", self.take, **options)

    def take(self, piece: StoryProgress) -> None:
        self.pieces.append(piece)
        self.times.append(asyncio.get_running_loop().time())

    @property
    def text(self) -> str:
        return "".join(piece.delta for piece in self.pieces)

    @property
    def finals(self) -> list[bool]:
        return [piece.final for piece in self.pieces]


def virtually(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it in virtual time."""
    run_virtual(main())


def test_the_first_piece_goes_at_once_and_the_next_wait() -> None:
    """What comes meanwhile travels together; silence of the model sends nothing."""

    async def main() -> None:
        heard = Heard()
        heard.feed.text("Once,")
        assert [piece.delta for piece in heard.pieces] == ["Once,"]
        heard.feed.text(" upon")
        heard.feed.text(" a time.")
        await asyncio.sleep(5)
        assert [piece.delta for piece in heard.pieces] == ["Once,", " upon a time."]
        assert heard.times == [0.0, EVERY_S]
        heard.feed.text(" Long ago.")
        assert heard.times == [0.0, EVERY_S, 5.0]

    virtually(main)


def test_no_second_has_more_than_ten_events() -> None:
    """A fast model for three seconds, the end included; numbered without a gap."""

    async def main() -> None:
        heard = Heard()
        words = [f"word{number} " for number in range(3000)]
        for word in words:
            heard.feed.text(word)
            await asyncio.sleep(0.001)
        heard.feed.end("".join(words).strip())
        assert heard.text == "".join(words).strip()
        assert [piece.sequence for piece in heard.pieces] == list(range(len(heard.pieces)))
        assert heard.finals == [False] * (len(heard.pieces) - 1) + [True]
        for begin in heard.times:
            assert sum(begin <= time < begin + 1 for time in heard.times) <= 10
        assert len(heard.pieces) >= 3 / EVERY_S

    virtually(main)


def test_the_end_says_the_rest_and_then_nothing_is_said() -> None:
    """The final piece has what is left, perhaps nothing; whatever comes later is ignored."""

    async def main() -> None:
        heard = Heard()
        heard.feed.text("Once upon")
        heard.feed.text(" a")
        heard.feed.end("Once upon a")
        heard.feed.text(" time")
        heard.feed.end("Once upon a")
        await asyncio.sleep(5)
        assert [(piece.delta, piece.final) for piece in heard.pieces] == [
            ("Once ", False),
            ("upon a", True),
        ]

    virtually(main)


def test_a_failed_request_says_no_more_than_that_it_ended() -> None:
    """What it still holds may be why it failed."""

    async def main() -> None:
        heard = Heard()
        heard.feed.text("Once.")
        heard.feed.text(" Something unfit.")
        heard.feed.end(None)
        await asyncio.sleep(5)
        assert [(piece.delta, piece.final) for piece in heard.pieces] == [
            ("Once.", False),
            ("", True),
        ]
        untouched = Heard()
        untouched.feed.end(None)
        assert [(piece.delta, piece.final) for piece in untouched.pieces] == [("", True)]

    virtually(main)


def test_the_pieces_are_the_published_story_to_the_letter() -> None:
    """Line ends, control characters and spaces at the edges are cleaned as the story's are."""

    async def main() -> None:
        heard = Heard()
        for delta in (" \n", "Once", " ", "up\x07on\r", "\na ", "time\ud83d. ", "\n"):
            heard.feed.text(delta)
            await asyncio.sleep(EVERY_S)
        assert heard.text == "Once upon\na time?."
        heard.feed.end("Once upon\na time?.")
        assert heard.text == "Once upon\na time?."
        assert heard.finals[-1]

    virtually(main)


def test_another_story_than_the_one_that_was_begun_is_not_mixed_in() -> None:
    """A later try wrote it: whoever watches is told of the end and takes the published one."""

    async def main() -> None:
        heard = Heard()
        heard.feed.text("Once.")
        heard.feed.text(" upon")
        heard.feed.end("There was a fox.")
        assert heard.text == "Once."
        assert heard.finals == [False, True]

    virtually(main)


def test_a_try_that_nobody_heard_of_leaves_nothing_behind() -> None:
    """It was cut within its first word; the next one streams from its beginning."""

    async def main() -> None:
        heard = Heard()
        heard.feed.begin()
        heard.feed.text("On")
        heard.feed.begin()
        heard.feed.text("There was")
        heard.feed.end("There was a fox.")
        assert [piece.delta for piece in heard.pieces] == ["There ", "was a fox."]

    virtually(main)


def test_a_story_that_was_not_streamed_is_said_at_its_end() -> None:
    """An answer that was paid for before a crash comes whole."""

    async def main() -> None:
        heard = Heard()
        heard.feed.end("There was a fox.")
        assert [(piece.delta, piece.final) for piece in heard.pieces] == [
            ("There was a fox.", True)
        ]

    virtually(main)


def test_nothing_follows_text_that_is_not_fit() -> None:
    """`fit` sees the whole words so far before each piece, and is not asked again after a no."""

    async def main() -> None:
        seen: list[str] = []

        def fit(text: str) -> bool:
            seen.append(text)
            return "secret" not in text

        heard = Heard(fit=fit)
        heard.feed.text("The sec")
        await asyncio.sleep(1)
        heard.feed.text("ret is")
        await asyncio.sleep(1)
        heard.feed.text(" told.")
        await asyncio.sleep(1)
        heard.feed.end("The secret is told.")
        assert seen == ["The ", "The secret "]
        assert heard.text == "The "
        assert heard.finals == [False, True]

    virtually(main)


def test_a_word_is_said_when_it_is_whole() -> None:
    """So that its beginning is not out before it is known to be fit."""

    async def main() -> None:
        heard = Heard()
        for letters in ("On", "ce up", "on", " a ti", "me", "."):
            heard.feed.text(letters)
            await asyncio.sleep(1)
        deltas = [piece.delta for piece in heard.pieces]
        assert deltas == ["Once ", "upon a ", "time."]

    virtually(main)


def test_what_is_withheld_is_said_only_when_it_has_passed() -> None:
    """In pieces of bounded size; of a failed request nothing."""

    async def main() -> None:
        story = "x." * LONGEST_DELTA + "."
        heard = Heard(withheld=True)
        heard.feed.text(story[:10])
        await asyncio.sleep(5)
        assert not heard.pieces
        assert not heard.feed.published
        heard.feed.end(story)
        assert [len(piece.delta) for piece in heard.pieces] == [LONGEST_DELTA, LONGEST_DELTA, 1]
        assert heard.finals == [False, False, True]
        failed = Heard(withheld=True)
        failed.feed.text("Unfit.")
        failed.feed.end(None)
        assert failed.text == ""

    virtually(main)


def test_a_model_that_does_not_end_is_not_followed_for_ever() -> None:
    """Pieces are bounded, and so is what a feed keeps."""

    async def main() -> None:
        heard = Heard()
        for _ in range(10):
            heard.feed.text(". " * (LONGEST_DELTA // 2))
            await asyncio.sleep(1)
        assert max(len(piece.delta) for piece in heard.pieces) <= LONGEST_DELTA
        assert len(heard.text) > 4 * LONGEST_DELTA
        assert len(heard.text) <= LONGEST_TEXT
        heard.feed.end(None)
        assert heard.finals[-1]

    virtually(main)


def test_published_tells_that_no_other_text_can_follow() -> None:
    """Nothing is published by spaces, nor by what is not fit."""

    async def main() -> None:
        heard = Heard(fit=lambda text: text != "bad.")
        heard.feed.text("  ")
        told = []
        for letters in ("goo", "d."):
            heard.feed.text(letters)
            told.append(heard.feed.published)
        assert told == [False, True]
        unfit = Heard(fit=lambda text: text != "bad.")
        unfit.feed.text("bad.")
        assert not unfit.feed.published

    virtually(main)


@pytest.mark.parametrize("broken", ["send", "fit"])
def test_a_bug_of_ours_costs_the_progress_alone(broken: str) -> None:
    """Neither the model's call nor the request's end hears of it."""

    def fail(*_: object) -> Any:
        raise ZeroDivisionError

    async def main() -> None:
        heard = Heard(**({"fit": fail} if broken == "fit" else {}))
        feed = heard.feed if broken == "fit" else ProgressFeed("r1", fail)
        feed.text("Once.")
        feed.text(" Upon.")
        await asyncio.sleep(1)
        feed.end("Once. Upon.")
        assert heard.text == ""

    virtually(main)
