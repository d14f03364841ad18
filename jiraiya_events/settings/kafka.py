"""Where Kafka is, what its topics are called, and where the embedded one comes from."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from jiraiya_events.settings.values import (
    Group,
    Text,
    comma_separated,
    derived,
    matching,
    upper_case,
    url,
)

_HOST = r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@,\[\]]+)"
# 1 to 65535.
_PORT = r"([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
Address = Annotated[str, matching(f"{_HOST}:{_PORT}", "host:port, for each broker")]

# The broker's own rule for a topic's name; a group's name has fewer limits.
TopicName = Annotated[
    str,
    matching(
        r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}",
        "a Kafka topic name: 1 to 249 of A-Z a-z 0-9 . _ -, and not . or ..",
    ),
]


class Broker(Group):
    """The embedded Apache Kafka of `jiraiya broker` and `jiraiya demo`."""

    repository_url: Annotated[str, url("https", "http")] | None = Field(
        default=None,
        repr=False,
        description="Where the embedded Kafka's jars come from.",
        json_schema_extra=derived("the public repository of Java packages"),
    )


class Kafka(Group):
    """How to reach Kafka."""

    bootstrap_servers: Annotated[tuple[Address, ...], comma_separated, Field(min_length=1)] = Field(
        default=("localhost:9092",), description="Brokers to ask first."
    )
    group_id: Text = Field(
        default="jiraiya",
        description="Consumer group, and the first part of every `transactional.id`.",
    )
    group_instance_id: Text | None = Field(
        default=None,
        description="Static membership: a name for this replica alone, the same after a restart. "
        "A restart within 45 s then moves no partition; a dead replica's partitions wait as long.",
    )
    security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], upper_case
    ] = Field(default="PLAINTEXT", description="How to talk to the brokers.")
    sasl_mechanism: (
        Annotated[Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], upper_case] | None
    ) = Field(default=None, description="Needed by the `SASL_…` protocols.")
    sasl_username: Text | None = Field(default=None, description="SASL user.")
    sasl_password: SecretStr | None = Field(default=None, description="SASL password.")
    ssl_cafile: Path | None = Field(
        default=None, description="CA certificates (PEM); the system's when not set."
    )
    ssl_certfile: Path | None = Field(
        default=None, description="Client certificate (PEM), for mutual TLS."
    )
    ssl_keyfile: Path | None = Field(
        default=None, description="Its private key (PEM), when not in the same file."
    )


class Topics(Group):
    """The topics' names, and what they are created with."""

    requested: TopicName = Field(default="story.requested", description="Requests, in.")
    generated: TopicName = Field(default="story.generated", description="Stories, out.")
    failed: TopicName = Field(default="story.failed", description="Failures, out.")
    dlq: TopicName = Field(default="story.requested.dlq", description="Dead letters.")
    marks: TopicName = Field(
        default="story.requested.dlq.marks",
        description="Which dead letters were replayed or discarded.",
    )
    cancelled: TopicName = Field(default="story.cancelled", description="Cancellations, in.")
    progress: TopicName = Field(default="story.progress", description="Progress, out.")
    partitions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=6, description="Partitions of a topic we create."
    )
    replication_factor: Annotated[int, Field(ge=1, le=32767)] = Field(
        default=1,
        description="Replicas of a topic we create.",
        json_schema_extra=derived("1 in dev, 3 elsewhere"),
    )
    auto_create: bool = Field(
        default=True,
        description="Create missing topics at start-up; allowed in dev only.",
        json_schema_extra=derived("true in dev, false elsewhere"),
    )

    def names(self) -> dict[str, str]:
        """Return every topic's name by the name of its setting."""
        return {
            "requested": self.requested,
            "generated": self.generated,
            "failed": self.failed,
            "dlq": self.dlq,
            "marks": self.marks,
            "cancelled": self.cancelled,
            "progress": self.progress,
        }
