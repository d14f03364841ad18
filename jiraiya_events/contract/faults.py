"""A payload's faults in words that name the fields and never repeat a value."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_NAMED_AT_MOST: Final = 8
_RULE_CHARACTERS: Final = 120

_RULES: Final[Mapping[str, str]] = {
    "model_type": "must be an object",
    "missing": "required",
    "string_type": "must be a string",
    "string_too_short": "at least {min_length} character(s)",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "not of the form the schema asks for",
    "string_unicode": "must be text in UTF-8",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "too_short": "at least {min_length} item(s)",
    "too_long": "at most {max_length} items",
    "int_type": "must be a whole number",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "bool_type": "must be true or false",
    "enum": "must be {expected}",
    "value_error": "{error}",
}


def describe(error: ValidationError, model: type[BaseModel]) -> str:
    """Return such as `keywords: at least 1 item(s); timeout_ms: at most 600000`; bounded."""
    details = error.errors(include_url=False, include_input=False)
    lines = [f"{_place(detail, model)}: {_rule(detail)}" for detail in details[:_NAMED_AT_MOST]]
    if len(details) > _NAMED_AT_MOST:
        lines.append(f"and {len(details) - _NAMED_AT_MOST} more")
    return "; ".join(lines)


def fields_at_fault(error: ValidationError, model: type[BaseModel]) -> tuple[str, ...]:
    """Return the names of the fields, each once; never what they hold."""
    details = error.errors(include_url=False, include_input=False)[:_NAMED_AT_MOST]
    return tuple(dict.fromkeys(_place(detail, model) for detail in details))


def _place(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Return `field` or `field[index]`; names inside a map are the user's words, so left out."""
    field, *rest = detail["loc"] or ("value",)
    if field not in model.model_fields:
        return "value"
    return f"{field}[{rest[0]}]" if rest and isinstance(rest[0], int) else str(field)


def _rule(detail: ErrorDetails) -> str:
    rule = _RULES.get(detail["type"], "not acceptable")
    return rule.format_map(detail.get("ctx", {}))[:_RULE_CHARACTERS]
