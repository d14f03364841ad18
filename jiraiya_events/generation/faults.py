"""Why a model call brought no answer, in words that belong to no client library."""

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """Where a call broke, in the order a call passes these places."""

    DNS = "dns"
    REFUSED = "refused"
    CONNECT = "connect"
    HTTP = "http"
    DROPPED = "dropped"
    TIMEOUT = "timeout"
    BAD_BODY = "bad_body"
    CUT_STREAM = "cut_stream"
    STREAM_ERROR = "stream_error"

    @property
    def may_be_billed(self) -> bool:
        """Whether the provider may have worked, and charged, before the call broke."""
        return self in _AFTER_SENDING


_AFTER_SENDING = frozenset(
    {
        FaultKind.DROPPED,
        FaultKind.TIMEOUT,
        FaultKind.BAD_BODY,
        FaultKind.CUT_STREAM,
        FaultKind.STREAM_ERROR,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A failed call; `retry_after_s` is what the provider asked for, in seconds.

    `provider_code` is the provider's own word for it (`insufficient_quota`), and `detail` is
    for logs: it never holds a key, a prompt or a story.
    """

    kind: FaultKind
    status: int | None = None
    provider_code: str | None = None
    retry_after_s: float | None = None
    detail: str = ""


class CallFault(Exception):
    """A model call failed; raised by every `ModelPort`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.kind}: {fault.detail}" if fault.detail else str(fault.kind))
        self.fault = fault
