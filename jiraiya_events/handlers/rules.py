"""What the handlers are told at start-up, as plain values."""

from dataclasses import dataclass

from jiraiya_events.contract.topics import Topics


@dataclass(frozen=True, slots=True)
class Rules:
    """Topics, limits and the models requests may name."""

    topics: Topics
    default_model: str
    allowed_models: frozenset[str]
    service_version: str
    default_deadline_s: float = 300.0
    max_event_bytes: int = 32_768
