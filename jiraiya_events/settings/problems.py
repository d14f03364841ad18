"""Wrong values in words: the variable, what it holds, and what it may hold."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from jiraiya_events.settings.sources import Given
from jiraiya_events.settings.variables import Variable, shown_address, variables

_LONGEST_VALUE: Final = 80
# Pydantic speaks to programmers; these parts of its sentences say nothing to an operator.
_OPENING: Final = re.compile(r"^[A-Z][a-z]+ should")
_CLOSING: Final = re.compile(r", unable to .*| after validation, not .*| or instance of .*")
# What belongs into another setting, and is a secret there.
_HOLDS_A_KEY: Final = re.compile(r"(?i)api_?key")


def problems(error: ValidationError, given: Mapping[str, Given]) -> tuple[str, ...]:
    """Return one line for each wrong value; a secret's value is never in it."""
    lines: dict[str, None] = {}
    for detail in error.errors(include_url=False, include_input=False):
        place = tuple(str(step) for step in detail["loc"])
        variable = _variable_at(place)
        name = variable.name if variable else ".".join(place)
        inside = place[len(variable.path) :] if variable else ()
        lines[f"{_value(name, variable, given)} {_reason(detail, inside)}"] = None
    return tuple(lines)


def names_at_fault(error: ValidationError) -> frozenset[str]:
    """Return the variables whose values are wrong."""
    details = error.errors(include_url=False, include_input=False)
    found = (_variable_at(tuple(str(step) for step in detail["loc"])) for detail in details)
    return frozenset(variable.name for variable in found if variable is not None)


def _variable_at(place: tuple[str, ...]) -> Variable | None:
    by_path = {variable.path: variable for variable in variables().values()}
    return by_path.get(place[:2]) or by_path.get(place[:1])


def _value(name: str, variable: Variable | None, given: Mapping[str, Given]) -> str:
    found = given.get(name)
    if found is None or variable is None:
        return f"{name}:"
    if variable.secret or _HOLDS_A_KEY.search(found.text):
        return f"{name} (from {found.origin}; its value is secret)"
    # Credentials stand before an `@` wherever somebody puts them.
    text = shown_address(found.text) if variable.address or "@" in found.text else found.text
    if len(text) > _LONGEST_VALUE:
        text = text[: _LONGEST_VALUE - 1] + "…"
    return f"{name}={text!r} (from {found.origin})"


def _reason(detail: Any, inside: tuple[str, ...]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    message = _OPENING.sub("must", detail["msg"].removeprefix("Value error, "))
    message = _CLOSING.sub("", message).replace("Extra inputs are not permitted", "is unknown")
    message = message.replace("valid tuple", "list").replace("valid dictionary", "JSON object")
    # List positions help nobody; the names inside a map do.
    names = [step for step in inside if not step.isdecimal()]
    if not names:
        return message
    if detail["type"] == "missing":
        *around, lacking = names
        return f"lacks {lacking!r}" + (f" in {'.'.join(around)!r}" if around else "")
    within = ".".join(names)
    if detail["type"] == "value_error":
        return f"{message} ({within})"
    return f"{message} in {within!r}"
