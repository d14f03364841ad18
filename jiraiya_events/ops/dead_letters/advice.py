"""What an operator does about a dead letter, by its code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from jiraiya_events.domain.codes import ErrorCode

_PROVIDER = (
    "the model provider was failing: when jiraiya_circuit_breaker_state is 0 again, replay it"
)
_AGAIN = "it failed again after a replay: read the message, then replay, edit or discard it"

_ADVICE: Final[Mapping[ErrorCode, str]] = MappingProxyType(
    {
        ErrorCode.INVALID_EVENT: "the request itself is wrong: mend it with `--edit`, or discard "
        "it and tell its sender",
        ErrorCode.UNSUPPORTED_SCHEMA: "its type or version is not ours: upgrade the service and "
        "replay it, or discard it and tell its sender",
        ErrorCode.PAYLOAD_TOO_LARGE: "it is over JIRAIYA_ENGINE__MAX_EVENT_BYTES: raise that and "
        "replay it, or discard it and tell its sender",
        ErrorCode.PROVIDER_UNAVAILABLE: _PROVIDER,
        ErrorCode.PROVIDER_TIMEOUT: _PROVIDER,
        ErrorCode.PROVIDER_RATE_LIMITED: "the provider limits us: replay it slowly, with `--rate`",
        ErrorCode.PROVIDER_BAD_RESPONSE: "the model's answers could not be used: replay it, and if "
        "that changes nothing, have it sent anew with another model or wish",
        ErrorCode.PROVIDER_AUTH: "our API key was refused: mend JIRAIYA_LLM__API_KEY, restart, "
        "see `jiraiya doctor`, then replay it",
        ErrorCode.PROVIDER_QUOTA: "our account was empty: top it up, then replay it",
        ErrorCode.DUPLICATE_CONFLICT: "another body has its id, and that body's answer is paid "
        "for: discard it, and have it sent anew under another id",
        ErrorCode.INTERNAL: "a bug of ours: find its correlation id in the log, upgrade, then "
        "replay it",
    }
)


def advice_for(code: str) -> str:
    """Return the next step, for a code of any release."""
    try:
        return _ADVICE.get(ErrorCode(code), _AGAIN)
    except ValueError:
        return "this release does not know the code: look into the body, then replay or discard it"
