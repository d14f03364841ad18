"""Progress where there is no terminal."""

import io

from rich.console import Console

from jiraiya_events.cli.progress import starting


def test_without_a_terminal_every_phase_is_said_once_and_once_when_over() -> None:
    """However often it is told; nobody's log fills up."""
    text = io.StringIO()
    with starting(Console(file=text)) as tell:
        for done in range(0, 101, 5):
            tell("Downloading", done, 100)
        tell("Starting", 0, 1)
        tell("Starting", 1, 1)
    assert text.getvalue().splitlines() == [
        "Downloading …", "Downloading … done", "Starting …", "Starting … done",
    ]  # fmt: skip


def test_on_a_terminal_every_phase_has_a_bar() -> None:
    """With megabytes for downloads."""
    text = io.StringIO()
    with starting(Console(file=text, force_terminal=True, width=100)) as tell:
        tell("Downloading", 20_000_000, 45_000_000)
        tell("Starting", 1, 1)
    assert "20 of 45 MB" in text.getvalue()
    assert "Starting" in text.getvalue()
