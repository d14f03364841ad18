"""Where outcomes and paid answers are kept."""

from typing import Annotated, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field

from jiraiya_events.settings.values import TEN_YEARS_S, Group, Seconds, derived

FOURTEEN_DAYS_S: Final = 14 * 24 * 3600.0
_OPTIONS: Final = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}


def _known_store(given: str) -> str:
    if given.startswith(("redis://", "rediss://")):
        return _redis(given)
    if given == "memory://" or (given.startswith("sqlite:///") and len(given) > len("sqlite:///")):
        return given
    msg = (
        "must be sqlite:///path (four slashes for an absolute one), redis://host:6379/0, "
        "rediss://host:6379/0 or memory://"
    )
    raise ValueError(msg)


def _redis(given: str) -> str:
    try:
        parts = urlsplit(given)
        database = parts.path.removeprefix("/") or "0"
        # Unescaped, they end the address early: the rest of a password would be taken for a path.
        plain = given.isprintable() and " " not in given and not parts.fragment
        well_formed = plain and bool(parts.hostname) and parts.port != 0 and database.isdecimal()
    except ValueError:
        well_formed = False
    if not well_formed:
        msg = (
            "must be like redis://user:password@host:6379/0 (or rediss:// for TLS), a number at "
            "its end, and / ? # @ : % in the password written as %2F %3F %23 %40 %3A %25"
        )
        raise ValueError(msg)
    unknown = parse_qs(parts.query, keep_blank_values=True).keys() - _OPTIONS
    if unknown or (parts.query and parts.scheme == "redis"):
        msg = f"has options it cannot have; rediss:// may have {', '.join(sorted(_OPTIONS))}"
        raise ValueError(msg)
    return given


class Store(Group):
    """The result store."""

    url: Annotated[str, AfterValidator(_known_store)] = Field(
        default="memory://",
        repr=False,
        description="`sqlite:///path`, `redis://host:6379/0`, `rediss://…` (TLS) or `memory://` "
        "(lost at exit; refused in prod).",
        json_schema_extra=derived("`outcomes.db` in the data directory"),
    )
    ttl_s: Seconds = Field(
        default=FOURTEEN_DAYS_S,
        description="How long outcomes are kept; also the retention that `jiraiya topics apply` "
        "gives the dead letters.",
    )
    response_cache_s: Annotated[float, Field(ge=0, le=TEN_YEARS_S, allow_inf_nan=False)] = Field(
        default=0, description="Reuse answers to equal wishes for this long; 0 is off."
    )
