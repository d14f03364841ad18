"""The examiner's verdict, from the topics alone; shares no code with the service."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.blackbox.dead_letters import dead_letter_problems
from tests.blackbox.events import event_problems
from tests.blackbox.messages import Seen, by_topic

Position = tuple[int, int]


@dataclass(slots=True)
class Judgement:
    """What was found; `problems` is empty when every promise held."""

    requests: dict[Position, Seen] = field(default_factory=dict)
    generated: list[Seen] = field(default_factory=list)
    failed: list[Seen] = field(default_factory=list)
    dead_letters: list[Seen] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return a line for a report."""
        return (
            f"{len(self.requests)} requests: {len(self.generated)} generated, "
            f"{len(self.failed)} failed, {len(self.dead_letters)} dead letters; "
            f"lost {self.lost}, doubled {self.doubled}, out of order {self.out_of_order}"
        )

    def outcome_of(self, request_id: str) -> Seen:
        """Return the terminal event of the first request with this id."""
        events = [*self.generated, *self.failed]
        found = [e for e in events if e.header("ce_causationid") == request_id]
        return min(found, key=lambda event: event.request)


def judge(
    records: Iterable[Seen], *, requested: str, generated: str, failed: str, dlq: str
) -> Judgement:
    """Compare what went in with what came out."""
    topics = by_topic(records)
    found = Judgement(
        requests={record.position: record for record in topics.get(requested, [])},
        generated=topics.get(generated, []),
        failed=topics.get(failed, []),
        dead_letters=topics.get(dlq, []),
    )
    _count(found)
    for kind, events in (("generated", found.generated), ("failed", found.failed)):
        _order(found, kind, events)
        for event in events:
            where = f"{kind} {event.position} for {event.request}"
            problems = event_problems(kind, event, found.requests.get(event.request))
            found.problems += [f"{where}: {problem}" for problem in problems]
    found.problems += dead_letter_problems(found.requests, found.failed, found.dead_letters)
    return found


def _count(found: Judgement) -> None:
    counts = Counter(event.request for event in (*found.generated, *found.failed))
    for position in found.requests:
        if counts[position] == 0:
            found.lost += 1
            found.problems.append(f"request {position} has no terminal event")
    for position, count in counts.items():
        if position not in found.requests:
            found.problems.append(f"a terminal event for {position}, which was never requested")
        if count > 1:
            found.doubled += 1
            found.problems.append(f"request {position} has {count} terminal events")


def _order(found: Judgement, kind: str, events: list[Seen]) -> None:
    last: dict[tuple[int, bytes], int] = {}
    homes: dict[bytes, int] = {}
    for event in sorted(events, key=lambda event: event.position):
        if event.key is None:
            continue
        partition, offset = event.request
        before = last.get((partition, event.key), -1)
        last[partition, event.key] = offset
        if before >= offset:
            found.out_of_order += 1
            found.problems.append(f"{kind}: {offset} of {event.key!r} came after {before}")
        if homes.setdefault(event.key, event.partition) != event.partition:
            found.problems.append(f"{kind}: {event.key!r} is spread over partitions")
