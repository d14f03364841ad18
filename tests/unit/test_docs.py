"""The documents speak of things that exist: commands, make targets, files, settings."""

import re
from pathlib import Path

import pytest
import typer

from jiraiya_events.cli.app import app
from jiraiya_events.domain.codes import POLICIES, ErrorCode

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"))
    if path.exists()
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
COMMAND = re.compile(r"(?:^\$ |`|^  )(?:\.venv/bin/)?jiraiya ([a-z]+(?: [a-z]+)?)", re.MULTILINE)
# Commands of the contract whose features come later; settings already speak of them.
LATER = {"keys", "store"}
TARGET = re.compile(r"(?:^\$ |`)make ([a-z]+)", re.MULTILINE)


def commands() -> dict[str, set[str]]:
    """Return the commands there are, each with its subcommands."""
    click = typer.main.get_command(app)
    found = getattr(click, "commands", {})
    return {name: set(getattr(command, "commands", {})) for name, command in found.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_in_a_document_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_a_document_exists(page: Path) -> None:
    known = commands()
    for words in COMMAND.findall(page.read_text(encoding="utf-8")):
        name, _, rest = words.partition(" ")
        if name in LATER:
            continue
        assert name in known, f"{page.name} speaks of `jiraiya {name}`"
        if known[name] and rest:
            assert rest in known[name], f"{page.name} speaks of `jiraiya {words}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_in_a_document_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in TARGET.findall(page.read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page.name}: make {target}"


def test_the_integration_page_tells_the_truth_about_every_code_it_names() -> None:
    """The table's columns are those of the code's own policy."""
    page = (ROOT / "docs" / "INTEGRATION.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \| (yes|no) \| (yes|no) \|", re.MULTILINE)
    named: set[str] = set()
    for codes, retryable, dead_letter in row.findall(page):
        for code in re.findall(r"\w+", codes):
            policy = POLICIES[ErrorCode(code)]
            named.add(code)
            assert policy.retryable is (retryable == "yes"), code
            assert policy.dead_letter is (dead_letter == "yes"), code
    later = {"unauthenticated", "forbidden", "rate_limited", "budget_exceeded"}
    assert named == {code.value for code in ErrorCode} - later - {"prompt_rejected"}
