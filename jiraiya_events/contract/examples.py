"""One example of each event, for the schemas and for AsyncAPI; they validate like any other."""

from collections.abc import Mapping
from typing import Final

from jiraiya_events.contract.event_types import EventType

_ID: Final = "5f0c6a52-3c52-4d0e-9a37-0c5d1f0f6a11"
_USER: Final = "user-42"

EXAMPLES: Final[Mapping[EventType, dict[str, object]]] = {
    EventType.REQUESTED: {
        "request_id": _ID,
        "user_id": _USER,
        "keywords": ["dragon", "lighthouse", "friendship"],
        "genre": "fairy tale",
        "tone": "warm",
        "audience": "children",
        "language": "en",
        "length": "short",
        "timeout_ms": 120000,
        "metadata": {"screen": "home"},
    },
    EventType.GENERATED: {
        "request_id": _ID,
        "user_id": _USER,
        "story": {
            "title": "The Dragon Who Kept the Light",
            "content": "On the last rock before the open sea stood a lighthouse …",
            "language": "en",
            "word_count": 204,
        },
        "model": "gpt-4o-mini",
        "provider": "openai",
        "prompt_version": "story.v2",
        "usage": {
            "input_tokens": 312,
            "cached_input_tokens": 0,
            "output_tokens": 288,
            "reasoning_tokens": 0,
        },
        "cost": {"amount": "0.0002196", "currency": "USD"},
        "attempt": 1,
        "tries": 1,
        "source": "model",
        "timings": {"queued_ms": 12, "generation_ms": 4180, "total_ms": 4192},
        "safety": {"input_checked": True, "output_checked": True},
        "metadata": {"screen": "home"},
    },
    EventType.FAILED: {
        "request_id": _ID,
        "user_id": _USER,
        "error": {
            "code": "provider_unavailable",
            "message": "The model provider was unavailable.",
            "retryable": True,
            "stage": "generate",
            "retry_after_ms": None,
        },
        "attempt": 1,
        "tries": 3,
        "billed": False,
        "usage": {
            "input_tokens": 0,
            "cached_input_tokens": 0,
            "output_tokens": 0,
            "reasoning_tokens": 0,
        },
        "cost": {"amount": "0.0", "currency": "USD"},
        "dead_lettered": True,
        "dlq_reference": "story.requested/3/1042",
        "metadata": {"screen": "home"},
    },
    EventType.CANCELLED: {"request_id": _ID, "reason": "closed by the user"},
    EventType.PROGRESS: {
        "request_id": _ID,
        "sequence": 7,
        "delta": " stood a lighthouse",
        "final": False,
    },
}
