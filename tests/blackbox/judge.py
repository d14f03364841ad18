"""The examiner's verdict, from the topics alone; shares no code with the service."""

import json
import re
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from jsonschema import Draft202012Validator

from tests.blackbox.messages import Seen, by_topic

SCHEMAS: Final = Path(__file__).parents[2] / "schemas"
NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:jiraiya")
TYPES: Final = {"generated": "com.kuybi.story.generated.v1", "failed": "com.kuybi.story.failed.v1"}
DEAD_LETTERED: Final = {
    "invalid_event", "unsupported_schema", "payload_too_large", "provider_unavailable",
    "provider_timeout", "provider_rate_limited", "provider_bad_response", "provider_auth",
    "provider_quota", "internal",
}  # fmt: skip
TRACEPARENT: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
ALWAYS: Final = (
    "ce_id", "ce_time", "ce_dataschema", "ce_correlationid", "ce_causationid", "ce_sequence",
    "x-request-partition", "correlation_id",
)  # fmt: skip


@dataclass(slots=True)
class Judgement:
    """What was found; `problems` is empty when every promise held."""

    requests: int = 0
    generated: int = 0
    failed: int = 0
    dead_letters: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return a line for a report."""
        return (
            f"{self.requests} requests: {self.generated} generated, {self.failed} failed, "
            f"{self.dead_letters} dead letters; lost {self.lost}, doubled {self.doubled}, "
            f"out of order {self.out_of_order}"
        )


def judge(
    records: Iterable[Seen], *, requested: str, generated: str, failed: str, dlq: str
) -> Judgement:
    """Compare what went in with what came out."""
    topics = by_topic(records)
    inputs = {record.position: record for record in topics.get(requested, [])}
    outputs = {kind: topics.get(name, []) for kind, name in
               (("generated", generated), ("failed", failed))}
    letters = topics.get(dlq, [])
    found = Judgement(
        requests=len(inputs),
        generated=len(outputs["generated"]),
        failed=len(outputs["failed"]),
        dead_letters=len(letters),
    )
    _judge_counts(found, inputs, [*outputs["generated"], *outputs["failed"]])
    for kind, events in outputs.items():
        _judge_order(found, kind, events)
        for event in events:
            _judge_event(found, kind, event, inputs.get(event.request))
    _judge_letters(found, inputs, outputs["failed"], letters)
    return found


def _judge_counts(
    found: Judgement, inputs: dict[tuple[int, int], Seen], events: list[Seen]
) -> None:
    counts = Counter(event.request for event in events)
    for position in inputs:
        if counts[position] == 0:
            found.lost += 1
            found.problems.append(f"request {position} has no terminal event")
    for position, count in counts.items():
        if position not in inputs:
            found.problems.append(f"a terminal event for {position}, which was never requested")
        if count > 1:
            found.doubled += 1
            found.problems.append(f"request {position} has {count} terminal events")


def _judge_order(found: Judgement, kind: str, events: list[Seen]) -> None:
    last: dict[tuple[int, bytes], int] = {}
    for event in sorted(events, key=lambda e: (e.partition, e.offset)):
        if event.key is None:
            continue
        source, offset = event.request
        lane = (source, event.key)
        if last.get(lane, -1) >= offset:
            found.out_of_order += 1
            found.problems.append(f"{kind}: {offset} of {lane} came after {last[lane]}")
        last[lane] = offset


def _judge_event(found: Judgement, kind: str, event: Seen, request: Seen | None) -> None:
    where = f"{kind} {event.position} for {event.request}"
    found.problems.extend(f"{where}: {problem}" for problem in _header_problems(kind, event))
    errors = Draft202012Validator(_schema(kind)).iter_errors(event.body)
    found.problems.extend(f"{where}: {error.json_path}: {error.message}" for error in errors)
    if request is not None and event.key != request.key:
        found.problems.append(f"{where}: key {event.key!r} is not the request's {request.key!r}")


def _header_problems(kind: str, event: Seen) -> list[str]:
    problems = [f"no header {name}" for name in ALWAYS if not event.header(name)]
    fixed = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_source": "/jiraiya",
        "ce_type": TYPES[kind],
        "correlation_id": event.header("ce_correlationid"),
        "ce_subject": event.body.get("request_id"),
    }
    for name, wanted in fixed.items():
        if event.header(name) != wanted:
            problems.append(f"{name} is {event.header(name)!r}, not {wanted!r}")
    if not TRACEPARENT.fullmatch(event.header("traceparent") or ""):
        problems.append(f"traceparent is {event.header('traceparent')!r}")
    if len(event.header("ce_sequence") or "") != 20:
        problems.append("ce_sequence is not padded to 20")
    return problems


def expected_id(source: str, request_id: str, attempt: int, kind: str) -> str:
    """Return the `ce_id` of a terminal event, computed from the contract's words."""
    name = json.dumps(
        [source, request_id, attempt, TYPES[kind]], separators=(",", ":"), ensure_ascii=False
    )
    return str(uuid.uuid5(NAMESPACE, name))


def _judge_letters(
    found: Judgement,
    inputs: dict[tuple[int, int], Seen],
    failed: list[Seen],
    letters: list[Seen],
) -> None:
    got = Counter(_origin(letter) for letter in letters)
    wanted = Counter(
        event.request for event in failed if event.body["error"]["code"] in DEAD_LETTERED
    )
    for event in failed:
        body = event.body
        dead = body["error"]["code"] in DEAD_LETTERED
        if body["dead_lettered"] is not dead and body["attempt"] == 1:
            found.problems.append(f"failed {event.request}: dead_lettered is not {dead}")
    for position, count in got.items():
        if count > 1:
            found.problems.append(f"request {position} has {count} dead letters")
    missing = [position for position in wanted if not got[position]]
    # A resend of a dead-lettered request points to the first one's dead letter.
    references = {event.request: event.body["dlq_reference"] for event in failed}
    for position in missing:
        topic, _, rest = str(references[position]).rpartition("/")[0].rpartition("/")
        if (int(rest), int(str(references[position]).rpartition("/")[2])) not in got:
            found.problems.append(f"request {position} has no dead letter ({topic})")
    for letter in letters:
        _judge_letter(found, letter, inputs.get(_origin(letter)))


def _origin(letter: Seen) -> tuple[int, int]:
    return int(letter.header("x-dlq-partition") or -1), int(letter.header("x-dlq-offset") or -1)


def _judge_letter(found: Judgement, letter: Seen, request: Seen | None) -> None:
    if request is None:
        found.problems.append(f"dead letter {letter.position} has no request")
        return
    if letter.key != request.key:
        found.problems.append(f"dead letter {letter.position}: another key")
    if letter.value != request.value and letter.header("x-dlq-truncated") != "true":
        found.problems.append(f"dead letter {letter.position}: other bytes")


def _schema(kind: str) -> dict[str, object]:
    loaded: dict[str, object] = json.loads(
        (SCHEMAS / f"story.{kind}.v1.json").read_text(encoding="utf-8")
    )
    return loaded
