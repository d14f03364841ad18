"""What the service needs of the cluster, and in words what of it is not there: pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jiraiya_events.adapters.kafka.authorization import READ, WRITE, allows


@dataclass(frozen=True, slots=True)
class Needs:
    """Topics that are read and written, and the group that is joined."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    group: str

    @property
    def topics(self) -> tuple[str, ...]:
        """Return every topic, once."""
        return tuple(dict.fromkeys((*self.read, *self.write)))


@dataclass(frozen=True, slots=True)
class Lack:
    """Something the service cannot work without, and how an operator mends it."""

    what: str
    mend: str

    def __str__(self) -> str:
        """Return both, in one line."""
        return f"{self.what}: {self.mend}"


def missing_topics(needs: Needs, rights: Mapping[str, int]) -> Iterator[Lack]:
    """Yield a lack for each topic that is not there; `rights` are bits by topic."""
    for name in needs.topics:
        if name not in rights:
            yield Lack(f"the topic {name} is missing", "`jiraiya topics apply` creates it")


def missing_rights(needs: Needs, rights: Mapping[str, int], group_rights: int) -> Iterator[Lack]:
    """Yield a lack for each right that we do not have, on what is there."""
    for name in needs.read:
        if name in rights and not allows(rights[name], READ):
            yield denied(f"read the topic {name}", "READ on that topic")
    for name in needs.write:
        if name in rights and not allows(rights[name], WRITE):
            yield denied(f"write to the topic {name}", "WRITE on that topic")
    if not allows(group_rights, READ):
        yield denied(f"read the group {needs.group}", "READ on that group")


def denied(act: str, right: str) -> Lack:
    """Return the lack of a right."""
    return Lack(f"we may not {act}", f"grant {right} to the service's user")
