"""The AsyncAPI document as the reference parser sees it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from jiraiya_events.contract.asyncapi import write_asyncapi

VERSION = "3.6.3"
CACHE = Path(__file__).parents[2] / ".cache" / "asyncapi-parser"
SCRIPT = """
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const faults = diagnostics.filter((found) => found.severity < 2)
  .map((found) => `${found.path.join(".")}: ${found.message}`);
const operations = document ? document.operations().all().map((each) => each.id()) : [];
console.log(JSON.stringify({ faults, operations }));
"""


def _program(name: str) -> str:
    """Return the path of a program, or fail saying what to install."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: install Node.js 20 or later to check asyncapi.yaml")
    return found


@pytest.fixture(scope="module")
def script() -> Path:
    """Install the parser once, outside the tracked files, and return the script that runs it."""
    package = CACHE / "node_modules" / "@asyncapi" / "parser" / "package.json"
    CACHE.mkdir(parents=True, exist_ok=True)
    if not package.is_file() or json.loads(package.read_text())["version"] != VERSION:
        quiet = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
        command = [_program("npm"), "install", "--prefix", str(CACHE), *quiet]
        done = subprocess.run(
            [*command, f"@asyncapi/parser@{VERSION}"],
            cwd=CACHE, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"npm could not install the parser: {done.stderr[-500:]}"
    path = CACHE / "check.mjs"
    path.write_text(SCRIPT)
    return path


@pytest.mark.timeout(400)
def test_the_reference_parser_finds_no_fault_in_the_document(script: Path, tmp_path: Path) -> None:
    """No error and no warning; six operations are understood."""
    document = tmp_path / "asyncapi.yaml"
    write_asyncapi(document)
    done = subprocess.run(
        [_program("node"), str(script), str(document)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    report = json.loads(done.stdout)
    assert report["faults"] == []
    assert sorted(report["operations"]) == [
        "receiveStoryCancelled",
        "receiveStoryRequested",
        "sendDeadLetter",
        "sendStoryFailed",
        "sendStoryGenerated",
        "sendStoryProgress",
    ]
