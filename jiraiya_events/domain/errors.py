"""The one tree of errors.

    JiraiyaError                what a person or a caller can act on
    ├── SettingsError           wrong settings: exit 2, one readable line each
    ├── RequestFailure          one request ends as `story.failed` with a code
    └── ServiceError            a part around us is missing or broken: exit 1
        ├── BrokerUnavailable   Kafka cannot be reached or refuses us
        ├── InstanceTaken       another process is the group's member that we are to be
        ├── StoreUnavailable    the result store cannot be reached
        └── EmbeddedKafkaError  the embedded Apache Kafka cannot be started

Every message names the value that was wrong and the next step.
"""

from jiraiya_events.domain.codes import ErrorCode, Stage


class JiraiyaError(Exception):
    """Anything this package raises on purpose."""


class SettingsError(JiraiyaError):
    """Settings that cannot be used; `lines` has one readable line for each."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class RequestFailure(JiraiyaError):
    """One request cannot become a story; `message` is safe to show its user.

    `fields` are the names of those at fault, for the log.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        stage: Stage,
        retry_after_ms: int | None = None,
        fields: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.stage = stage
        self.retry_after_ms = retry_after_ms
        self.fields = fields


class ServiceError(JiraiyaError):
    """A part the service needs is missing or broken."""


class BrokerUnavailable(ServiceError):
    """Kafka cannot be reached, or it refuses our credentials or topics."""


class InstanceTaken(ServiceError):
    """Another process is a member of the group under our `group.instance.id`."""

    def __init__(self) -> None:
        super().__init__(
            "another replica has joined the group under the same JIRAIYA_KAFKA__GROUP_INSTANCE_ID: "
            "give each an id of its own (in Kubernetes the name of a StatefulSet's pod), or none"
        )


class StoreUnavailable(ServiceError):
    """The result store cannot be reached; the service goes on without it."""


class EmbeddedKafkaError(ServiceError):
    """The embedded Apache Kafka cannot be fetched or started."""
