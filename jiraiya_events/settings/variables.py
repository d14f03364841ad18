"""The variables there are: each setting's name in the environment and its place in the model."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from jiraiya_events.settings.model import Settings
from jiraiya_events.settings.values import Later

PREFIX: Final = "JIRAIYA_"
SECRETS_DIR: Final = "JIRAIYA_SECRETS_DIR"
"""The one variable that is read before all others, and so from no secrets file."""

FALLBACKS: Final = {
    "JIRAIYA_LLM__API_KEY": "OPENAI_API_KEY",
    "JIRAIYA_LLM__BASE_URL": "OPENAI_BASE_URL",
}
"""What the OpenAI SDK's own variables stand in for."""

_CREDENTIALS: Final = re.compile(r"^(.*?//)?.*@")


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting: `path` is (field) or (group, field)."""

    name: str
    path: tuple[str, ...]
    field: FieldInfo

    @property
    def secret(self) -> bool:
        """True when the value, or a part of it, must never be shown."""
        return _holds_secret(self.field.annotation)

    @property
    def later(self) -> bool:
        """True when only the default is available in this version."""
        return any(isinstance(mark, Later) for mark in self.field.metadata)

    @property
    def address(self) -> bool:
        """True when the value is a URL, which may hold credentials."""
        return _is_address(self.path[-1])

    def value(self, settings: Settings) -> Any:  # noqa: ANN401 - settings have many types
        """Return this setting's value."""
        found: Any = settings
        for step in self.path:
            found = getattr(found, step)
        return found


@cache
def variables() -> dict[str, Variable]:
    """Return every variable by name, in the order of the contract."""
    found = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for inner, inner_field in field.annotation.model_fields.items():
                variable = f"{PREFIX}{name}__{inner}".upper()
                found[variable] = Variable(variable, (name, inner), inner_field)
        else:
            variable = f"{PREFIX}{name}".upper()
            found[variable] = Variable(variable, (name,), field)
    return found


def _holds_secret(kind: Any) -> bool:  # noqa: ANN401 - annotations have many types
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return any(_holds_secret(field.annotation) for field in kind.model_fields.values())
    return kind is SecretStr or any(map(_holds_secret, get_args(kind)))


def _is_address(field: str) -> bool:
    return field.endswith("url")


def shown_address(text: str) -> str:
    """Return a URL without what may be secret in it: user, password, query and fragment."""
    return re.split("[?#]", _CREDENTIALS.sub(r"\1***@", text), maxsplit=1)[0]


def reveal(value: object) -> object:
    """Return `value` without secrets: what may be shown of it."""
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, BaseModel):
        shown = {name: str(reveal(part)) for name, part in value if part is not None}
        return {n: shown_address(text) if _is_address(n) else text for n, text in shown.items()}
    if isinstance(value, dict):
        return {name: reveal(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [reveal(part) for part in value]
    return value
