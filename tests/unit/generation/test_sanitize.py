# ruff: noqa: RUF001 - letters of other scripts are what this is about
"""What is cleaned out of a text, and what looks like dirt and is spelling."""

import pytest

from jiraiya_events.generation.sanitize import clean_field, clean_story, one_line, visible

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("fox" + "".join(chr(0xE0000 + ord(letter)) for letter in "obey"), "fox"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0041\U000e007f", "\U0001f3f4"),
        ("fox\ufe00\ufe01\U000e0100", "fox"),
        ("fox\ufe0f", "fox"),
        ("7\ufe0f", "7"),
        ("\u115f\u1160\u3164\uffa0fox", "fox"),
        ("a\u034fb", "ab"),
        ("\u202ea\u2066b\u2069\u202c\u200e\u200f\u061c", "ab"),
        ("क\u200d\u200d\u200dष", "क\u200dष"),
        ("a\u0323\u200b\u0307", "\u1ea1\u0307"),
    ],
)
def test_what_cannot_be_seen_is_removed(text: str, clean: str) -> None:
    """Proves that nothing can be said in letters nobody sees."""
    assert clean_field(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        ENGLAND,
        "1\ufe0f\u20e3",
        "\u2764\ufe0f",
        "\U0001f468\U0001f3fd\u200d\U0001f33e",
        "\u1820\u180b",
        "\u06dd\u0661",
        "می\u200cخواهم",
    ],
)
def test_what_emoji_and_scripts_need_stays(text: str) -> None:
    """Proves that flags, keycaps, styles, numbers of verses and joiners are kept."""
    assert clean_field(text) == text


def test_lines_are_seen_before_they_are_joined() -> None:
    """Proves the two steps."""
    assert visible("a\n b\u200b") == "a\n b"
    assert one_line("a\n b") == "a b"


@pytest.mark.parametrize("text", ["น้ำตก ทำงาน คำ", "ນ້ຳ ຄຳ", "น\u200b้ำ"])
def test_sara_am_stays_one_letter(text: str) -> None:
    """Proves that Thai and Lao words reach the model as they are spelled."""
    assert clean_field(text) == text.replace("\u200b", "")


def test_a_story_has_nothing_in_it_that_nobody_sees() -> None:
    """Proves that it carries no hidden text and turns no line round; its letters stay."""
    dirty = "a\u202eb \U000e0041c\u2066 \ufeffd\u200b\u00ade\x00 \uff46 e\u0301"
    assert clean_story(dirty) == "ab c de \uff46 e\u0301"


@pytest.mark.parametrize("text", [ENGLAND, "1\ufe0f\u20e3", "می\u200cخواهم", "क\u200dष"])
def test_a_story_keeps_what_its_script_needs(text: str) -> None:
    """Proves the same of stories as of wishes."""
    assert clean_story(text) == text
