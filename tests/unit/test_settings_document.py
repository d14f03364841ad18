"""docs/CONFIGURATION.md says what the settings are."""

import sys
from pathlib import Path

import pytest

from jiraiya_events.settings import document
from jiraiya_events.settings.variables import variables

PAGE = Path(__file__).parents[2] / "docs" / "CONFIGURATION.md"


def test_the_page_is_what_the_settings_say() -> None:
    """Whoever changes a setting also changes the page (`make schemas`)."""
    assert PAGE.read_text(encoding="utf-8") == document.configuration_page()


def test_every_setting_has_a_row_with_a_meaning() -> None:
    """No setting is left for the reader to guess."""
    rows = [line for line in document.configuration_page().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(variables())
    assert all(row.split(" | ")[-1].removesuffix(" |").strip() for row in rows)


def test_the_page_says_nothing_of_this_machine() -> None:
    """Defaults that are paths are described in words."""
    assert str(Path.home()) not in document.configuration_page()


def test_check_fails_on_drift_and_writing_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check is one that can fail, and it says what to do."""
    page = tmp_path / "CONFIGURATION.md"
    page.write_text("old", encoding="utf-8")
    monkeypatch.setattr(document, "FILE", page)
    monkeypatch.setattr(sys, "argv", ["document", "--check"])
    assert document.main() == 1
    assert "make schemas" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["document"])
    assert document.main() == 0
    monkeypatch.setattr(sys, "argv", ["document", "--check"])
    assert document.main() == 0
