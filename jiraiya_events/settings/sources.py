"""What was set, and where: the environment, then `.env`, then the files of a secrets directory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.settings.variables import FALLBACKS, SECRETS_DIR, variables

DEFAULT_SECRETS_DIR: Final = "/run/secrets"


@dataclass(frozen=True, slots=True)
class Given:
    """The text of one variable and, in words, where it stands."""

    text: str
    origin: str


Layer = dict[str, Given]


def read_layers(environ: Mapping[str, str], dotenv: Path | None) -> list[Layer]:
    """Return what each source holds, the strongest first.

    An empty value counts as not set, so that `NAME=` in a compose file or `.env` is harmless.

    Raises:
        SettingsError: a file that is there cannot be read.
    """
    environment = _layer(environ, "the environment")
    file = _layer(_read_dotenv(dotenv), f"{dotenv}")
    chosen = environment.get(SECRETS_DIR) or file.get(SECRETS_DIR)
    return [environment, file, _read_secrets(chosen)]


def pick(layers: list[Layer]) -> dict[str, Given]:
    """Return the strongest text of every setting that was set."""
    picked = {}
    for name in variables():
        for alias in (name, FALLBACKS.get(name)):
            found = next((layer[alias] for layer in layers if alias and alias in layer), None)
            if found is not None:
                origin = found.origin if alias == name else f"{alias} in {found.origin}"
                picked[name] = Given(found.text, origin)
                break
    return picked


def _layer(values: Mapping[str, str | None], origin: str) -> Layer:
    return {
        name: Given(text.strip(), origin) for name, text in values.items() if text and text.strip()
    }


def _read_dotenv(path: Path | None) -> Mapping[str, str | None]:
    if path is None or not path.is_file():
        return {}
    try:
        # Without interpolation: a password may contain `${`.
        return dotenv_values(path, interpolate=False)
    except (OSError, ValueError) as error:
        raise SettingsError((f"{path} cannot be read as UTF-8 text: {error}",)) from error


def _read_secrets(chosen: Given | None) -> Layer:
    folder = Path(chosen.text if chosen else DEFAULT_SECRETS_DIR)
    if not folder.is_dir():
        if chosen:
            line = f"{SECRETS_DIR}={chosen.text!r} (from {chosen.origin}) is not a directory"
            raise SettingsError((line,))
        return {}
    layer: Layer = {}
    for name, path in _secret_files(folder):
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise SettingsError((f"the secrets file {path} cannot be read: {reason}",)) from error
        if text:
            layer[name] = Given(text, f"the file {path}")
    return layer


def _secret_files(folder: Path) -> Iterator[tuple[str, Path]]:
    for name in (*variables(), *FALLBACKS.values()):
        path = folder / name.lower()
        if path.is_file():
            yield name, path
