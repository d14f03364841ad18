"""The error codes of the contract and what each of them promises the requester."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Stage(StrEnum):
    """Where on its way a request failed, in the order a request passes them."""

    DECODE = "decode"
    VALIDATE = "validate"
    AUTHORIZE = "authorize"
    ADMIT = "admit"
    GENERATE = "generate"
    CHECK_OUTPUT = "check_output"
    INTERNAL = "internal"


class ErrorCode(StrEnum):
    """Why a request failed, as it stands in `story.failed`."""

    INVALID_EVENT = "invalid_event"
    UNSUPPORTED_SCHEMA = "unsupported_schema"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    BUDGET_EXCEEDED = "budget_exceeded"
    PROMPT_REJECTED = "prompt_rejected"
    CONTENT_BLOCKED = "content_blocked"
    DUPLICATE_CONFLICT = "duplicate_conflict"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    CANCELLED = "cancelled"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_TIMEOUT = "provider_timeout"
    PROVIDER_RATE_LIMITED = "provider_rate_limited"
    PROVIDER_BAD_RESPONSE = "provider_bad_response"
    PROVIDER_AUTH = "provider_auth"
    PROVIDER_QUOTA = "provider_quota"
    CONTEXT_TOO_LONG = "context_too_long"
    OUTPUT_TRUNCATED = "output_truncated"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class CodePolicy:
    """What a code promises: may the same wish succeed later, and does an operator keep it."""

    retryable: bool
    dead_letter: bool


_FINAL = CodePolicy(retryable=False, dead_letter=False)
_REFUSED_BYTES = CodePolicy(retryable=False, dead_letter=True)
_LIMITED = CodePolicy(retryable=True, dead_letter=False)
_OURS_TO_MEND = CodePolicy(retryable=True, dead_letter=True)

POLICIES: Final = MappingProxyType(
    {
        ErrorCode.INVALID_EVENT: _REFUSED_BYTES,
        ErrorCode.UNSUPPORTED_SCHEMA: _REFUSED_BYTES,
        ErrorCode.PAYLOAD_TOO_LARGE: _REFUSED_BYTES,
        ErrorCode.UNAUTHENTICATED: _FINAL,
        ErrorCode.FORBIDDEN: _FINAL,
        ErrorCode.RATE_LIMITED: _LIMITED,
        ErrorCode.BUDGET_EXCEEDED: _LIMITED,
        ErrorCode.PROMPT_REJECTED: _FINAL,
        ErrorCode.CONTENT_BLOCKED: _FINAL,
        ErrorCode.DUPLICATE_CONFLICT: _FINAL,
        ErrorCode.DEADLINE_EXCEEDED: _FINAL,
        ErrorCode.CANCELLED: _FINAL,
        ErrorCode.PROVIDER_UNAVAILABLE: _OURS_TO_MEND,
        ErrorCode.PROVIDER_TIMEOUT: _OURS_TO_MEND,
        ErrorCode.PROVIDER_RATE_LIMITED: _OURS_TO_MEND,
        ErrorCode.PROVIDER_BAD_RESPONSE: _OURS_TO_MEND,
        ErrorCode.PROVIDER_AUTH: _OURS_TO_MEND,
        ErrorCode.PROVIDER_QUOTA: _OURS_TO_MEND,
        ErrorCode.CONTEXT_TOO_LONG: _FINAL,
        ErrorCode.OUTPUT_TRUNCATED: _FINAL,
        ErrorCode.INTERNAL: _OURS_TO_MEND,
    }
)
