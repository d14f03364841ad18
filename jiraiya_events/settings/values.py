"""The kinds of value a setting can have, each read from the text of one variable."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

LONGEST_DEADLINE_S: Final = 600.0
"""No request may wait longer, whatever asks for it (`timeout_ms` has the same limit)."""

TEN_YEARS_S: Final = 10 * 365 * 24 * 3600.0
"""Longer than anybody means, and short enough for every clock and store to add up."""


class Group(BaseModel):
    """Settings with one prefix, `JIRAIYA_<GROUP>__`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _list_from_text(given: object) -> object:
    if not isinstance(given, str):
        return given
    start = given.lstrip()[:1]
    if start == "[":
        return _from_json(given)
    if start == "{":  # cut at its commas, a key in it would become the name of something
        msg = "must be a list: put [ ] around it"
        raise ValueError(msg)
    return [part.strip() for part in given.split(",") if part.strip()]


def _map_from_text(given: object) -> object:
    return _from_json(given) if isinstance(given, str) else given


def _from_json(text: str) -> object:
    try:
        return json.loads(text, parse_float=Decimal)
    except RecursionError:
        reason = "is nested too deeply"
    except ValueError as error:
        reason = f"is not JSON ({error})"
    raise ValueError(reason)


comma_separated = BeforeValidator(_list_from_text)
"""A list: `a,b` or `["a", "b"]`."""

json_map = BeforeValidator(_map_from_text)
"""A map: `{"name": value}`."""

upper_case = BeforeValidator(lambda given: given.upper() if isinstance(given, str) else given)


class Later(AfterValidator):
    """Marks a setting of a feature this version does not have; made by `only`."""


def only(available: object) -> Later:
    """Refuse every value but `available`.

    Ignoring such a setting would be worse: somebody relies on the protection it names.
    """

    def refuse(given: object) -> object:
        if given != available:
            msg = "is not available in this version; remove it"
            raise ValueError(msg)
        return given

    return Later(refuse)


def url(*schemes: str) -> AfterValidator:
    """Accept absolute URLs of these schemes."""

    def check(given: str) -> str:
        try:
            parts = urlsplit(given)
            well_formed = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
            well_formed = well_formed and given.isprintable() and " " not in given
        except ValueError:
            well_formed = False
        if not well_formed:
            wanted = " or ".join(f"{scheme}://host/…" for scheme in schemes)
            msg = f"must be a URL like {wanted}"
            raise ValueError(msg)
        return given

    return AfterValidator(check)


def matching(pattern: str, wanted: str) -> AfterValidator:
    """Accept text that matches `pattern` as a whole; `wanted` says in words what that is."""
    compiled = re.compile(pattern, re.ASCII)

    def check(given: str) -> str:
        if not compiled.fullmatch(given):
            msg = f"must be {wanted}"
            raise ValueError(msg)
        return given

    return AfterValidator(check)


def no_user_info(instead: str) -> AfterValidator:
    """Refuse `user:password@` in a URL that is logged or shown; `instead` says where to put it."""

    def check(given: str) -> str:
        if "@" in urlsplit(given).netloc:
            msg = f"must not contain credentials; put them into {instead}"
            raise ValueError(msg)
        return given

    return AfterValidator(check)


def no_query(given: str) -> str:
    """Refuse `?…` and `#…` in a URL that paths are added to; they may also hold a secret."""
    if "?" in given or "#" in given:
        msg = "must end before any ? or #: paths are added to it"
        raise ValueError(msg)
    return given


def _plain_name(given: str) -> str:
    plain = given.isprintable() and given == given.strip() and not set(given) & set("{}\"'`")
    if not plain:
        msg = "must be a name without quotes, braces, line breaks, or white space at its ends"
        raise ValueError(msg)
    return given


Text = Annotated[str, Field(min_length=1)]
Name = Annotated[Text, AfterValidator(_plain_name)]
Texts = Annotated[tuple[Text, ...], comma_separated]
Names = Annotated[tuple[Name, ...], comma_separated]
Secrets = Annotated[tuple[SecretStr, ...], comma_separated]
Seconds = Annotated[float, Field(gt=0, le=TEN_YEARS_S, allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=1)]
Usd = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Rate = Annotated[str, matching(r"[1-9][0-9]*/(second|minute|hour|day)", "a rate like 30/minute")]


def derived(words: str) -> Callable[[dict[str, Any]], None]:
    """Describe a default that depends on another setting or on the machine."""

    def note(schema: dict[str, Any]) -> None:
        schema["default"] = words

    return note
