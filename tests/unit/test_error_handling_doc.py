"""docs/ERROR_HANDLING.md says what the code does: every row of it is looked up there."""

import json
import re
from http import HTTPStatus
from pathlib import Path

import pytest

from jiraiya_events.contract.envelope import Envelope, read_envelope
from jiraiya_events.contract.requests import read_request
from jiraiya_events.domain import errors
from jiraiya_events.domain.codes import POLICIES, ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure
from jiraiya_events.domain.outcome import StoryFailed
from jiraiya_events.engine.records import Record
from jiraiya_events.generation import classification
from jiraiya_events.generation.classification import (
    Counts,
    FallBack,
    Flaw,
    Repair,
    Retry,
    Verdict,
    of_fault,
    of_flaw,
)
from jiraiya_events.generation.faults import Fault, FaultKind
from jiraiya_events.generation.progress import Progress
from jiraiya_events.handlers import outcomes

PAGE = (Path(__file__).parents[2] / "docs" / "ERROR_HANDLING.md").read_text(encoding="utf-8")

RETRIES = {
    "yes": Retry.YES,
    "once": Retry.ONCE,
    "once, with twice the limit": Retry.ONCE,
    "when the provider allows": Retry.AFTER_RETRY_AFTER,
    "when the breaker allows": Retry.AFTER_BREAKER,
    "no": Retry.NO,
}
COUNTS = {"yes": Counts.YES, "opens it at once": Counts.OPENS, "no": Counts.NO}
FALL_BACKS = {
    "yes": FallBack.YES,
    "when the wait passes the deadline": FallBack.WHEN_THE_WAIT_IS_TOO_LONG,
    "of another account": FallBack.OTHER_PROVIDER,
    "with a larger window": FallBack.LARGER_MODEL,
    "no": FallBack.NO,
}
SERVER_ERRORS = "5xx"
OTHER = "other"


def section(heading: str) -> str:
    """Return the text under a heading, without those below it."""
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of each row of the table under a heading, without its head."""
    table = re.findall(r"^\|.*\|$", section(heading), re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


def quoted(cell: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def classified() -> dict[str, list[str]]:
    """Return the rows of the classification by everything they are about."""
    return {key: row for row in rows("What a failed call leads to") for key in quoted(row[0])}


def verdicts_of(key: str) -> list[Verdict]:
    """Return what the code says of one key: a kind, a flaw, or a status with or without a code."""
    if key in {kind.value for kind in FaultKind}:
        return [of_fault(Fault(FaultKind(key)))]
    if key in {flaw.value for flaw in Flaw}:
        return [of_flaw(Flaw(key))]
    if key == SERVER_ERRORS:
        return [http(status) for status in range(500, 600)]
    if key == OTHER:
        return [http(status) for status in unnamed_statuses()]
    status, _, code = key.partition(" ")
    return [http(int(status), code or None)]


def http(status: int, code: str | None = None) -> Verdict:
    """Return what the code says of an HTTP status."""
    return of_fault(Fault(FaultKind.HTTP, status=status, provider_code=code))


def unnamed_statuses() -> list[int]:
    """Return every status below 500 that no row names by itself."""
    named = {key for key in classified() if key.isdigit()}
    return [status for status in range(300, 500) if str(status) not in named]


@pytest.mark.parametrize("key", classified())
def test_the_table_of_failed_calls_is_that_of_the_code(key: str) -> None:
    _, retry, counts, fall_back, code = classified()[key]
    for verdict in verdicts_of(key):
        assert RETRIES[retry] is verdict.retry
        assert COUNTS[counts] is verdict.counts
        assert FALL_BACKS[fall_back] is verdict.fall_back
        assert code == f"`{verdict.code}`"
        assert (verdict.repair is Repair.EXTENDED) == ("twice the limit" in retry)


def test_the_table_of_failed_calls_leaves_nothing_out() -> None:
    """Its keys are all of the code's, and one for each half of the statuses."""
    with_codes = {f"{status} {code}" for status, code in classification._BY_STATUS_AND_CODE}
    known = {
        *(kind.value for kind in FaultKind if kind is not FaultKind.HTTP),
        *(flaw.value for flaw in Flaw),
        *(str(status) for status in classification._BY_STATUS),
        *with_codes,
        SERVER_ERRORS,
        OTHER,
    }
    assert set(classified()) == known


def test_every_code_is_there_once_with_what_it_promises() -> None:
    named: list[str] = []
    for codes, retryable, dead_letter, requester, operator in rows("The codes"):
        for code in quoted(codes):
            named.append(code)
            policy = POLICIES[ErrorCode(code)]
            assert retryable == ("yes" if policy.retryable else "no"), code
            assert dead_letter == ("yes" if policy.dead_letter else "no"), code
        assert requester
        assert operator
    assert sorted(named) == sorted(ErrorCode)


def test_every_stage_is_named() -> None:
    (row,) = (row for row in rows("A failure as it arrives") if row[0] == "`stage`")
    assert quoted(row[1]) == list(Stage)


def test_the_example_is_what_is_published_when_a_provider_was_down() -> None:
    """Built as the handler builds it, for a request of three tries."""
    shown = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]
    down = http(HTTPStatus.SERVICE_UNAVAILABLE)
    failure = RequestFailure(down.code, down.message, stage=Stage.GENERATE)
    value = {
        "request_id": "5f0c6a52-3c52-4d0e-9a37-0c5d1f0f6a11",
        "user_id": "user-42",
        "keywords": ["fox"],
        "metadata": {"screen": "home"},
    }
    envelope = envelope_of(json.dumps(value).encode())
    built = outcomes.failed(envelope, failure, Progress(calls=3))
    assert json.loads(shown) == built.model_dump(mode="json")
    assert set(json.loads(shown)) == set(StoryFailed.model_fields)


@pytest.mark.parametrize("row", rows("Bad input"), ids=lambda row: row[0])
def test_bad_input_gets_what_the_table_says(row: list[str]) -> None:
    value, code, stage, message = row
    envelope = envelope_of(None if value == "*null*" else value.strip("`").encode())
    with pytest.raises(RequestFailure) as caught:
        read_request(envelope)
    failure = caught.value
    assert [code, stage, message] == [f"`{failure.code}`", f"`{failure.stage}`", f"`{failure}`"]


def test_the_tree_of_errors_is_that_of_the_code() -> None:
    """The drawing is the module's own, and every class in it exists, and no other."""
    (drawn,) = re.findall(r"```\n(JiraiyaError.*?)```", PAGE, re.DOTALL)
    docstring = "\n".join(line.removeprefix("    ") for line in str(errors.__doc__).splitlines())
    assert drawn in docstring
    names = re.findall(r"^\W*([A-Z]\w+)  ", drawn, re.MULTILINE)
    raised = [
        name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, Exception)
    ]
    assert sorted(names) == sorted(raised)


def envelope_of(value: bytes | None) -> Envelope:
    """Return the envelope of a record with this value and no headers."""
    record = Record("story.requested", 3, 1042, 1_800_000_000_000, b"user-42", value)
    return read_envelope(record, max_event_bytes=32_768)
