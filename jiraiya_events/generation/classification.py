"""The one table of what a failed call or an unusable answer leads to."""

from dataclasses import dataclass
from enum import Enum, Flag, StrEnum, auto
from types import MappingProxyType
from typing import Final

from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.generation.faults import Fault, FaultKind


class Flaw(StrEnum):
    """Why an answer that did arrive is not a story."""

    NO_FINISH_REASON = "no_finish_reason"
    UNREADABLE = "unreadable"
    WRONG_LENGTH = "wrong_length"
    TRUNCATED = "truncated"
    BLOCKED = "blocked"
    LEAKED = "leaked"
    UNFIT = "unfit"


class Retry(Enum):
    """Whether, and on whose sign, the same request is tried again."""

    YES = auto()
    ONCE = auto()
    AFTER_RETRY_AFTER = auto()
    AFTER_BREAKER = auto()
    NO = auto()


class Counts(Enum):
    """What the failure means to the breaker."""

    YES = auto()
    OPENS = auto()
    NO = auto()


class FallBack(Enum):
    """Whether another model could help; read by the fallback chain."""

    YES = auto()
    WHEN_THE_WAIT_IS_TOO_LONG = auto()
    OTHER_PROVIDER = auto()
    LARGER_MODEL = auto()
    NO = auto()


class Repair(Flag):
    """Which "exactly one more try" a request has used."""

    NONE = 0
    RECONNECTED = auto()
    ASKED_AGAIN = auto()
    REWRITTEN = auto()
    EXTENDED = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row of the table; `repair` names the single try of `Retry.ONCE`."""

    retry: Retry
    counts: Counts
    fall_back: FallBack
    code: ErrorCode
    message: str
    repair: Repair = Repair.NONE


_LIMITED = Verdict(
    Retry.AFTER_RETRY_AFTER,
    Counts.NO,
    FallBack.WHEN_THE_WAIT_IS_TOO_LONG,
    ErrorCode.PROVIDER_RATE_LIMITED,
    "The model provider is limiting our requests.",
)
_QUOTA = Verdict(
    Retry.AFTER_BREAKER,
    Counts.OPENS,
    FallBack.OTHER_PROVIDER,
    ErrorCode.PROVIDER_QUOTA,
    "The account with the model provider is used up.",
)
_AUTH = Verdict(
    Retry.AFTER_BREAKER,
    Counts.OPENS,
    FallBack.YES,
    ErrorCode.PROVIDER_AUTH,
    "The model provider refused our credentials or the model.",
)
_UNAVAILABLE = Verdict(
    Retry.YES,
    Counts.YES,
    FallBack.YES,
    ErrorCode.PROVIDER_UNAVAILABLE,
    "The model provider was unavailable.",
)
_CONFLICT = Verdict(
    Retry.YES,
    Counts.NO,
    FallBack.YES,
    ErrorCode.PROVIDER_UNAVAILABLE,
    "The model provider was busy with a conflicting request.",
)
_CUT = Verdict(
    Retry.ONCE,
    Counts.YES,
    FallBack.YES,
    ErrorCode.PROVIDER_TIMEOUT,
    "The model provider did not answer in time.",
    Repair.RECONNECTED,
)
_BAD_BODY = Verdict(
    Retry.ONCE,
    Counts.YES,
    FallBack.YES,
    ErrorCode.PROVIDER_BAD_RESPONSE,
    "The model provider's answer could not be read.",
    Repair.ASKED_AGAIN,
)
_UNUSABLE = Verdict(
    Retry.ONCE,
    Counts.NO,
    FallBack.YES,
    ErrorCode.PROVIDER_BAD_RESPONSE,
    "The model's text was not a usable story.",
    Repair.REWRITTEN,
)
_TRUNCATED = Verdict(
    Retry.ONCE,
    Counts.NO,
    FallBack.YES,
    ErrorCode.OUTPUT_TRUNCATED,
    "The story was cut off by the model's output limit.",
    Repair.EXTENDED,
)
_BLOCKED = Verdict(
    Retry.NO,
    Counts.NO,
    FallBack.NO,
    ErrorCode.CONTENT_BLOCKED,
    "The model declined to write this story.",
)
_UNSAFE = Verdict(
    Retry.NO,
    Counts.NO,
    FallBack.NO,
    ErrorCode.CONTENT_BLOCKED,
    "The story did not pass the safety checks.",
)
_TOO_LONG = Verdict(
    Retry.NO,
    Counts.NO,
    FallBack.LARGER_MODEL,
    ErrorCode.CONTEXT_TOO_LONG,
    "The request is too long for the model.",
)
_NOT_UNDERSTOOD = Verdict(
    Retry.NO,
    Counts.NO,
    FallBack.NO,
    ErrorCode.PROVIDER_BAD_RESPONSE,
    "The model provider did not accept the request.",
)

_BY_FLAW: Final = MappingProxyType(
    {
        Flaw.NO_FINISH_REASON: _BAD_BODY,
        Flaw.UNREADABLE: _UNUSABLE,
        Flaw.WRONG_LENGTH: _UNUSABLE,
        Flaw.TRUNCATED: _TRUNCATED,
        Flaw.BLOCKED: _BLOCKED,
        Flaw.LEAKED: _UNSAFE,
        Flaw.UNFIT: _UNSAFE,
    }
)
_BY_KIND: Final = MappingProxyType(
    {
        FaultKind.DNS: _UNAVAILABLE,
        FaultKind.REFUSED: _UNAVAILABLE,
        FaultKind.CONNECT: _UNAVAILABLE,
        FaultKind.STREAM_ERROR: _UNAVAILABLE,
        FaultKind.DROPPED: _CUT,
        FaultKind.TIMEOUT: _CUT,
        FaultKind.CUT_STREAM: _CUT,
        FaultKind.BAD_BODY: _BAD_BODY,
    }
)
_BY_STATUS: Final = MappingProxyType(
    {
        401: _AUTH,
        402: _QUOTA,
        403: _AUTH,
        404: _AUTH,
        408: _UNAVAILABLE,
        409: _CONFLICT,
        429: _LIMITED,
    }
)
# The provider's own code says more than the status it travels with, on these statuses.
_BY_STATUS_AND_CODE: Final = MappingProxyType(
    {
        (429, "insufficient_quota"): _QUOTA,
        (400, "context_length_exceeded"): _TOO_LONG,
        (413, "context_length_exceeded"): _TOO_LONG,
        (400, "content_filter"): _BLOCKED,
        (400, "content_policy_violation"): _BLOCKED,
    }
)

_BAD_REQUEST = 400
_SERVER_ERRORS = range(500, 600)


def of_fault(fault: Fault, repairs: Repair = Repair.NONE) -> Verdict:
    """Return what a failed call leads to; `repairs` are those it was to make, or made before."""
    if fault.kind is not FaultKind.HTTP:
        return _BY_KIND[fault.kind]
    status = fault.status or 0
    if status in _SERVER_ERRORS:
        return _UNAVAILABLE
    special = _BY_STATUS_AND_CODE.get((status, fault.provider_code or ""))
    if special is None and status == _BAD_REQUEST and Repair.EXTENDED in repairs:
        # The same request, but for its higher limit, had an answer before.
        return _TRUNCATED
    return special or _BY_STATUS.get(status, _NOT_UNDERSTOOD)


def of_flaw(flaw: Flaw) -> Verdict:
    """Return what an answer that is not a story leads to."""
    return _BY_FLAW[flaw]
