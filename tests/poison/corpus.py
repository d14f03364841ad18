"""The committed corpus: records that hurt some consumer once, written for people to read.

`tests/corpus/poison/*.json` holds lists of cases. Bytes are null, a text (in UTF-8), or a list of
parts, each a text, `{"hex": "ff00"}`, `{"times": 3, "of": <bytes>}` or, for a valid request with
some fields changed, `{"wish": {…}}`. Headers are pairs of such bytes; `{"times": …, "of": [pair]}`
repeats a pair. `expect` is the code it fails with, or `story`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jiraiya_events.engine.records import Record

FOLDER = Path(__file__).parents[1] / "corpus" / "poison"
WISH = {"user_id": "ann", "keywords": ["fox"]}
PUBLISHED_MS = 1_800_000_000_000


@dataclass(frozen=True)
class Case:
    """A record and how it is to end."""

    name: str
    record: Record
    expect: str


def cases() -> Iterator[Case]:
    """Read every case."""
    for path in sorted(FOLDER.glob("*.json")):
        for number, case in enumerate(json.loads(path.read_text(encoding="utf-8"))):
            record = Record(
                topic="story.requested",
                partition=2,
                offset=case.get("offset", number),
                timestamp_ms=case.get("timestamp_ms", PUBLISHED_MS),
                key=to_bytes(case.get("key", "ann")),
                value=to_bytes(case.get("value", [{"wish": {}}])),
                headers=tuple(_headers(case.get("headers", []))),
            )
            yield Case(f"{path.stem}: {case['name']}", record, case["expect"])


def to_bytes(told: Any) -> bytes | None:
    """Return the bytes that are described."""
    if told is None:
        return None
    if isinstance(told, str):
        return told.encode()
    if isinstance(told, list):
        return b"".join(to_bytes(part) or b"" for part in told)
    if "hex" in told:
        return bytes.fromhex(told["hex"])
    if "wish" in told:
        return json.dumps(WISH | told["wish"]).encode()
    return (to_bytes(told["of"]) or b"") * int(told["times"])


def _headers(told: list[Any]) -> Iterator[tuple[str, bytes | None]]:
    for pair in told:
        if isinstance(pair, dict):
            yield from list(_headers(pair["of"])) * pair["times"]
        else:
            name = to_bytes(pair[0]) or b""
            yield name.decode("utf-8", "surrogateescape"), to_bytes(pair[1])
