"""From text in three places to one frozen object, or to a readable list of what is wrong."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.settings.conflicts import conflicts
from jiraiya_events.settings.model import Settings
from jiraiya_events.settings.problems import names_at_fault, problems
from jiraiya_events.settings.sources import Given, pick, read_layers
from jiraiya_events.settings.unknown import unknown_variables
from jiraiya_events.settings.variables import variables

DOTENV: Final = Path(".env")
_NAME: Final = re.compile(r"JIRAIYA_\w+")


class WrongSettings(SettingsError):
    """Settings that cannot be used, and what there is to say of them besides.

    `warnings` are those of names that are none of ours. `rest` are the settings without the
    values that are `wrong`, where they can be taken for themselves: more may be found in them.
    """

    def __init__(
        self,
        lines: tuple[str, ...],
        warnings: tuple[str, ...],
        rest: Settings | None = None,
        wrong: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(lines)
        self.warnings = warnings
        self.rest = rest
        self.wrong = wrong

    def joined_by(self, lines: Iterable[str]) -> "WrongSettings":
        """Return this with what was found in the rest.

        A line that names a wrong setting is left out: it may be about its default.
        """
        new = (line for line in lines if not any(name in line for name in self.wrong))
        return WrongSettings((*self.lines, *new), self.warnings, self.rest, self.wrong)


def load_settings(
    environ: Mapping[str, str] | None = None, *, dotenv: Path | None = DOTENV
) -> Settings:
    """Return the settings of this process.

    Args:
        environ: variables to read instead of the process's own.
        dotenv: the `.env` file, relative to the working directory; None reads none.

    Raises:
        WrongSettings: with one readable line for each wrong value and each contradiction.
        SettingsError: a file cannot be read.
    """
    layers = read_layers(os.environ if environ is None else environ, dotenv)
    given = pick(layers)
    warnings = unknown_variables(name for layer in layers for name in layer)
    try:
        settings = Settings.model_validate(_nested(given))
    except ValidationError as error:
        # The cause is left out on purpose: it would carry values into tracebacks.
        raise _wrong(error, given, warnings) from None
    contradictions = tuple(conflicts(settings))
    if contradictions:
        named = frozenset(_NAME.findall(" ".join(contradictions)))
        raise WrongSettings(contradictions, warnings, settings, named)
    settings._origins.update({name: value.origin for name, value in given.items()})  # noqa: SLF001 - of this package
    settings._warnings = warnings  # noqa: SLF001 - of this package
    return settings


def _wrong(
    error: ValidationError, given: Mapping[str, Given], warnings: tuple[str, ...]
) -> WrongSettings:
    """Return all that can be known: the wrong values, and what contradicts among the others."""
    lines, wrong = problems(error, given), names_at_fault(error)
    try:
        rest = Settings.model_validate(
            _nested({name: value for name, value in given.items() if name not in wrong})
        )
    except ValidationError:
        return WrongSettings(lines, warnings)
    failure = WrongSettings(lines, warnings, rest, wrong)
    return failure.joined_by(conflicts(rest))


def _nested(given: Mapping[str, Given]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in given.items():
        *groups, field = variables()[name].path
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[field] = value.text
    return nested
