"""What is in force, and where it came from: the answer of `jiraiya config show`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from jiraiya_events.settings.model import Settings
from jiraiya_events.settings.variables import reveal, shown_address, variables


@dataclass(frozen=True, slots=True)
class Origin:
    """One setting: its variable, its value as it may be shown, and where that stands."""

    name: str
    value: str
    origin: str


def effective(settings: Settings) -> list[Origin]:
    """Return every setting in the order of the contract, secrets masked."""
    return [
        Origin(
            name=name,
            value=_shown(reveal(variable.value(settings)), address=variable.address),
            origin=settings._origins.get(name, "default"),  # noqa: SLF001 - of this package
        )
        for name, variable in variables().items()
    ]


def secret_values(settings: Settings) -> frozenset[str]:
    """Return the secrets themselves, for who must know what never to show."""
    values = (variable.value(settings) for variable in variables().values())
    return frozenset(_secrets(values))


def _secrets(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from _secrets(part for _, part in value)
        elif isinstance(value, dict):
            yield from _secrets(value.values())
        elif isinstance(value, tuple):
            yield from _secrets(value)
        elif isinstance(value, str) and "@" in value and (password := _password(value)):
            yield from {password, unquote(password)}


def _password(address: str) -> str | None:
    try:
        return urlsplit(address).password
    except ValueError:
        return None


def _shown(value: object, *, address: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list):
        plain = all(isinstance(part, str) for part in value)
        return ",".join(value) if plain else json.dumps(value)
    if isinstance(value, dict):
        return json.dumps(value) if value else ""
    return shown_address(str(value)) if address else str(value)
