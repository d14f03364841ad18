# ruff: noqa: RUF001 - letters of other scripts are what this is about
"""Words as the contract counts them."""

import pytest
import regex
from hypothesis import assume, given
from hypothesis import strategies as st

from jiraiya_events.domain import words
from jiraiya_events.domain.words import count_words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (" \n ... -- !", 0),
        ("Once upon a time", 4),
        ("It's 3.14, isn't it?", 4),
        ("well-known", 2),
        ("'All right,' she said. 'And you?'", 6),
        ("“'And you?' — 'a'”", 3),
        ("l’avion d'Élise", 2),
        ("a_b e.g. 1,000", 3),
        ("“Don’t!” — naïve café", 3),
        ("Привет, мир", 2),
        ("می‌خواهم بروم", 2),
        ("हिन्दी भाषा", 2),
        ("你好世界", 2),
        ("你好世界。", 2),
        ("你好吗", 2),
        ("こんにちは", 3),
        ("コーヒー", 2),
        ("สวัสดี", 2),
        ("我喜欢 Python 3", 4),
        ("안녕 세상", 2),
        ("👩‍👩‍👧 family", 1),
    ],
)
def test_words_are_counted_in_every_script(text: str, count: int) -> None:
    """Proves boundaries, joiners, and two characters a word where there are no spaces."""
    assert count_words(text) == count


@given(
    st.text(st.characters(max_codepoint=127), max_size=40)
    | st.text(st.sampled_from("aZ09_'.,;:- \n\"x"), max_size=14)
)
def test_the_fast_path_counts_like_the_standard(text: str) -> None:
    """Proves that ASCII text, digits and signs included, gets the same number both ways."""
    assert count_words(text) == len(words._WORD.findall(text))


@given(st.text(st.sampled_from("aé9_'’‘“”–—….,: "), max_size=14))
def test_typographic_marks_change_no_count(text: str) -> None:
    """Proves that replacing them for speed is exact."""
    assert count_words(text) == len(words._WORD.findall(text))


@given(st.text(max_size=60))
def test_no_text_has_more_words_than_letters(text: str) -> None:
    """Proves that counting never fails and stays plausible."""
    assert 0 <= count_words(text) <= len(text)


def test_no_script_without_spaces_is_overlooked() -> None:
    """Proves that the rough ranges hold every letter of those scripts."""
    every = map(chr, (*range(0xD800), *range(0xE000, 0x110000)))
    letters = words._UNSPACED.findall("".join(every))
    assert len(letters) > 90_000
    assert all(words._MAYBE_UNSPACED.match(letter) for letter in letters)


_WITH_JOINTS = regex.compile(
    rf"(?:{words._JOINTS})?+(?:{words._LETTERS}|{words._DIGITS})"
    rf"(?:{words._LETTERS}|{words._DIGITS}|{words._JOINTS})*+|[\p{{Alphabetic}}\p{{N}}]",
    regex.V1,
)


_MARK_ON_A_JOINT = regex.compile(
    rf"\p{{WB=ExtendNumLet}}[{words._X}]*[\p{{WB=Extend}}&&\p{{Alphabetic}}]", regex.V1
)


@given(
    st.text(st.sampled_from("aZ09_'.,: \u203f\u0301\u200dé\u05d0אٓ१ⅷ🅰"), max_size=16)
    | st.text(max_size=20)
)
def test_what_joins_words_in_front_of_one_changes_no_count(text: str) -> None:
    """Proves that looking for it, which took quadratic time, was to no purpose.

    But for a mark that counts as a letter and stands behind a joint, as no script writes it.
    """
    assume(not _MARK_ON_A_JOINT.search(text))
    assert len(words._WORD.findall(text)) == len(_WITH_JOINTS.findall(text))


@pytest.mark.parametrize("text", ["_", "\u203f", "'", "a_", "_é", "1.", "a'", "\u0301"])
@pytest.mark.parametrize("beginning", ["", "é"])
def test_a_row_of_anything_is_counted_at_once(beginning: str, text: str) -> None:
    """Proves that the time is linear: where each begins a search, this does not end."""
    assert count_words(beginning + text * 500_000) >= 0
