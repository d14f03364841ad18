"""Where outcomes and paid answers are kept."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from jiraiya_events.settings.values import Group, Seconds, derived, only

FOURTEEN_DAYS_S: Final = 14 * 24 * 3600.0


def _known_store(given: str) -> str:
    if given.startswith(("redis://", "rediss://")):
        msg = "Redis is not available in this version; use sqlite:///path or memory://"
        raise ValueError(msg)
    if given == "memory://" or (given.startswith("sqlite:///") and len(given) > len("sqlite:///")):
        return given
    msg = "must be sqlite:///path (four slashes for an absolute one) or memory://"
    raise ValueError(msg)


class Store(Group):
    """The result store."""

    url: Annotated[str, AfterValidator(_known_store)] = Field(
        default="memory://",
        repr=False,
        description="`sqlite:///path` or `memory://` (lost at exit; refused in prod).",
        json_schema_extra=derived("`outcomes.db` in the data directory"),
    )
    ttl_s: Seconds = Field(
        default=FOURTEEN_DAYS_S,
        description="How long outcomes are kept; at least the dead letters' retention.",
    )
    response_cache_s: Annotated[float, Field(ge=0, allow_inf_nan=False), only(0)] = Field(
        default=0, description="Reuse answers to equal wishes for this long; 0 is off."
    )
