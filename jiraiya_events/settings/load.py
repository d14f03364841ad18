"""From text in three places to one frozen object, or to a readable list of what is wrong."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.settings.conflicts import conflicts
from jiraiya_events.settings.model import Settings
from jiraiya_events.settings.problems import problems
from jiraiya_events.settings.sources import Given, pick, read_layers
from jiraiya_events.settings.unknown import unknown_variables
from jiraiya_events.settings.variables import variables

DOTENV: Final = Path(".env")


def load_settings(
    environ: Mapping[str, str] | None = None, *, dotenv: Path | None = DOTENV
) -> Settings:
    """Return the settings of this process.

    Args:
        environ: variables to read instead of the process's own.
        dotenv: the `.env` file, relative to the working directory; None reads none.

    Raises:
        SettingsError: with one readable line for each wrong value.
    """
    layers = read_layers(os.environ if environ is None else environ, dotenv)
    given = pick(layers)
    try:
        settings = Settings.model_validate(_nested(given))
    except ValidationError as error:
        # The cause is left out on purpose: it would carry values into tracebacks.
        raise SettingsError(problems(error, given)) from None
    contradictions = tuple(conflicts(settings))
    if contradictions:
        raise SettingsError(contradictions)
    settings._origins.update({name: value.origin for name, value in given.items()})  # noqa: SLF001 - of this package
    settings._warnings = unknown_variables(name for layer in layers for name in layer)  # noqa: SLF001 - of this package
    return settings


def _nested(given: Mapping[str, Given]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in given.items():
        *groups, field = variables()[name].path
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[field] = value.text
    return nested
