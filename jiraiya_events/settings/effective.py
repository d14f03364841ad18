"""What is in force, and where it came from: the answer of `jiraiya config show`."""

import json
from dataclasses import dataclass

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
