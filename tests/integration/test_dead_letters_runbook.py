"""What the operator's page tells to type does what the page says, in its order."""

import re
import shlex
from pathlib import Path

from tests.blackbox.operator import Operator, Told
from tests.blackbox.requests import plain
from tests.blackbox.world import World
from tests.integration.test_service_replays import ONCE

PAGE = Path(__file__).parents[2] / "docs" / "runbooks" / "dead-letters.md"
COMMAND = re.compile(r"^\$ jiraiya (.+)$", re.MULTILINE)


def test_the_runbook_leads_from_the_alert_to_the_mend(world: World) -> None:
    """Seven stories are lost to an outage, two requests were wrong; at the end nothing is left."""
    world.endpoint.configure(default="error_503")
    world.serve(**ONCE)
    wrong = [plain("wrong", "wrong", keywords=[]), plain("hopeless", "hopeless", user_id="")]
    world.publish([*(plain(f"r-{number}") for number in range(7)), *wrong])
    world.outcomes(9, 30)
    world.endpoint.configure(default="ok")
    operator = Operator(world)
    (world.folder / "wish.json").write_bytes(plain("wrong").value or b"")
    commands = COMMAND.findall(PAGE.read_text(encoding="utf-8"))
    said = {command: _run(operator, command) for command in commands}
    assert {command: told.err for command, told in said.items() if told.code != 0} == {}
    assert "r-" in said["dlq show 3:17"].out
    assert said["dlq show 3:17"].out == said["dlq show story.requested/3/42"].out
    assert "replayed 5" in said["dlq replay --code provider_unavailable --limit 5 --yes"].err
    assert "replayed 2" in said["dlq replay --code provider_unavailable --rate 50 --yes"].err
    assert "discarded 1" in said["dlq discard --code invalid_event --yes"].err
    world.outcomes(9 + 8, 30)
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 8
    assert operator.dlq("list", "--json").out == ""


NAMES = frozenset({"3:17", "3:18", "story.requested/3/42"})
"""The dead letters and the request that the page speaks of."""


def _names(operator: Operator) -> dict[str, str]:
    """Return what the page's names stand for here, as long as they are not handled."""
    rows = operator.dlq("list", "--json").rows
    down = next((row for row in rows if row["code"] == "provider_unavailable"), None)
    wrong = next((row for row in rows if row["key"] == "wrong"), None)
    names = {} if down is None else {
        "3:17": down["reference"],
        "story.requested/3/42": down["request"],
    }  # fmt: skip
    return names if wrong is None else {**names, "3:18": wrong["reference"]}


def _run(operator: Operator, command: str) -> Told:
    words = shlex.split(command)
    if NAMES.intersection(words):
        names = _names(operator)
        words = [names.get(word, word) for word in words]
    if words == ["tail"]:
        words += ["--from-start", "--limit", "1"]  # it has no end of its own
    return operator.jiraiya(*words)
