"""The documents speak of things that exist: commands, make targets, files, settings."""

import json
import re
from pathlib import Path

import pytest
import typer

from jiraiya_events.adapters.telemetry.concurrency import ConcurrencyLimit
from jiraiya_events.adapters.telemetry.lag import ConsumerLag
from jiraiya_events.adapters.telemetry.metrics import Metrics, new_registry
from jiraiya_events.cli.app import app
from jiraiya_events.domain.codes import POLICIES, ErrorCode
from jiraiya_events.domain.signals import StoryCancelled, StoryProgress
from jiraiya_events.settings.variables import variables

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"))
    if path.exists()
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
COMMAND = re.compile(r"(?:^\$ |`|^  )(?:\.venv/bin/)?jiraiya ([a-z]+(?: [a-z]+)?)", re.MULTILINE)
# Commands of the contract whose features come later; settings already speak of them.
LATER = {"keys"}
TARGET = re.compile(r"(?:^\$ |`)make ([a-z]+)", re.MULTILINE)
SETTING = re.compile(r"\bJIRAIYA_[A-Z][A-Z_]*[A-Z]\b")
# Variables that are no settings: a misspelt example, where secrets stand, and the tests' own.
NO_SETTINGS = {"JIRAIYA_ENGIN__MAX_IN_FLIGHT", "JIRAIYA_SECRETS_DIR"}
METRIC = re.compile(r"\bjiraiya(?:_[a-z]+)+\b(?!_)")
PACKAGE = "jiraiya_events"
SOURCE = re.compile(
    r"\b(?:tests/)?(?:adapters|bootstrap|cli|contract|domain|engine|generation|handlers|ops|settings"
    r"|sidecar|simulation|unit|integration|properties|contracts|chaos)/[\w/]+\.py\b"
)


def commands() -> dict[str, set[str]]:
    """Return the commands there are, each with its subcommands."""
    click = typer.main.get_command(app)
    found = getattr(click, "commands", {})
    return {name: set(getattr(command, "commands", {})) for name, command in found.items()}


def metrics() -> set[str]:
    """Return the names of all metrics as they are scraped."""
    registry = new_registry()
    Metrics(registry, version="0")
    ConcurrencyLimit(dict, registry)
    ConsumerLag(dict, registry)
    return {
        family.name + suffix
        for family in registry.collect()
        for suffix in ({"counter": "_total", "info": "_info"}.get(family.type, ""),)
    }


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_in_a_document_exists(page: Path) -> None:
    named = set(SETTING.findall(page.read_text(encoding="utf-8"))) - NO_SETTINGS
    assert {name for name in named if not name.startswith("JIRAIYA_TEST_")} <= variables().keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_metric_in_a_document_exists(page: Path) -> None:
    named = set(METRIC.findall(page.read_text(encoding="utf-8"))) - {PACKAGE}
    assert named <= metrics()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_in_a_document_exists(page: Path) -> None:
    for name in SOURCE.findall(page.read_text(encoding="utf-8")):
        folder = ROOT if name.startswith("tests/") else ROOT / "jiraiya_events"
        assert (folder / name).exists(), f"{page.name} speaks of {name}"


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
    later = {"unauthenticated", "forbidden"}
    assert named == {code.value for code in ErrorCode} - later


def test_the_events_on_the_integration_page_are_events() -> None:
    page = (ROOT / "docs" / "INTEGRATION.md").read_text(encoding="utf-8")
    withdrawn, piece = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    assert StoryCancelled.model_validate(withdrawn).model_dump(mode="json") == withdrawn
    assert StoryProgress.model_validate(piece).model_dump(mode="json") == piece
