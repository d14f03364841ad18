"""RFC 4647, section 3.4."""

import pytest

from jiraiya_events.generation.language_lookup import lookup


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("pt", "pt"),
        ("pt-BR", "pt-br"),
        ("pt-PT", "pt"),
        ("PT-br-x-old", "pt-br"),
        ("zh-Hant-CN-x-private1-private2", "zh-hant"),
        ("zh-Hans-CN", "zh"),
        ("zh-a-hant", "zh"),
        ("ptx", "none"),
        ("p", "none"),
        ("x-pt", "none"),
    ],
)
def test_the_longest_beginning_that_is_known_wins(tag: str, found: str) -> None:
    """Whole subtags fall off, in any case of letters."""
    assert lookup(tag, {"pt", "pt-br", "zh", "zh-hant"}, "none") == found


def test_a_single_letter_falls_off_with_what_it_introduces() -> None:
    """It has no meaning of its own: the RFC's example goes from `-x-private1` to the rest."""
    assert lookup("zh-x-taiwan", {"zh-x"}, "none") == "none"
