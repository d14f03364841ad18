"""Grim tales pass for children, and what no editor would print does not: a corpus of our own."""

import sys
from pathlib import Path

import pytest

from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.safety.age_bands import broken_by, found_in

CORPUS = Path(__file__).parents[3] / "corpus" / "safety"


def passages(name: str) -> list[str]:
    """Return the passages of one file."""
    lines = (CORPUS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def is_fit(text: str, audience: Audience) -> bool:
    """Tell whether no rule stands against a text."""
    return not broken_by(found_in(text, audience))


def test_every_tale_passes_and_nothing_unprintable_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Proves both rates that docs/SECURITY.md states, and prints them."""
    tales, unprintable = passages("tales"), passages("unprintable")
    assert len(set(tales)) >= 60
    assert len(set(unprintable)) >= 40
    lost = [text for text in tales if not is_fit(text, Audience.CHILDREN)]
    passed = [text for text in unprintable if is_fit(text, Audience.CHILDREN)]
    with capsys.disabled():
        sys.stdout.write(f"\ntales lost: {len(lost)}/{len(tales)}, ")
        sys.stdout.write(f"unprintable passed: {len(passed)}/{len(unprintable)}\n")
    assert not lost
    assert not passed
    page = (Path(__file__).parents[4] / "docs" / "SECURITY.md").read_text(encoding="utf-8")
    assert f"Of {len(tales)} grim passages" in page
    assert f"of {len(unprintable)} unmistakable ones" in page


@pytest.mark.parametrize("audience", Audience)
def test_all_tales_read_one_after_the_other_pass_too(audience: Audience) -> None:
    """Proves that what is harmless adds up to nothing in a long evening of one language or ten."""
    evening = [text for text in passages("tales") if "自" not in text]
    assert is_fit(" ".join(evening), audience)
