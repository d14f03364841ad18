"""The contract's table of error codes, copied by hand: the examiner trusts no import."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code promises."""

    retryable: bool
    dead_letter: bool


CODES = {
    "invalid_event": Rule(retryable=False, dead_letter=True),
    "unsupported_schema": Rule(retryable=False, dead_letter=True),
    "payload_too_large": Rule(retryable=False, dead_letter=True),
    "unauthenticated": Rule(retryable=False, dead_letter=False),
    "forbidden": Rule(retryable=False, dead_letter=False),
    "rate_limited": Rule(retryable=True, dead_letter=False),
    "budget_exceeded": Rule(retryable=True, dead_letter=False),
    "prompt_rejected": Rule(retryable=False, dead_letter=False),
    "content_blocked": Rule(retryable=False, dead_letter=False),
    "duplicate_conflict": Rule(retryable=False, dead_letter=False),
    "deadline_exceeded": Rule(retryable=False, dead_letter=False),
    "cancelled": Rule(retryable=False, dead_letter=False),
    "provider_unavailable": Rule(retryable=True, dead_letter=True),
    "provider_timeout": Rule(retryable=True, dead_letter=True),
    "provider_rate_limited": Rule(retryable=True, dead_letter=True),
    "provider_bad_response": Rule(retryable=True, dead_letter=True),
    "provider_auth": Rule(retryable=True, dead_letter=True),
    "provider_quota": Rule(retryable=True, dead_letter=True),
    "context_too_long": Rule(retryable=False, dead_letter=False),
    "output_truncated": Rule(retryable=False, dead_letter=False),
    "internal": Rule(retryable=True, dead_letter=True),
}
