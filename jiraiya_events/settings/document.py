"""Writes docs/CONFIGURATION.md from the settings: `python -m jiraiya_events.settings.document`.

With `--check` it writes nothing and fails when the file is not what it would write.
"""

import sys
from inspect import getdoc
from pathlib import Path
from typing import Any, Final

from pydantic_core import PydanticUndefined

from jiraiya_events.settings.model import Settings
from jiraiya_events.settings.values import TEN_YEARS_S
from jiraiya_events.settings.variables import Variable, reveal, variables

FILE: Final = Path("docs/CONFIGURATION.md")

_OPENING: Final = """\
# Configuration

Written from the code by `make schemas`; do not edit by hand.

Settings are environment variables. The strongest source wins:

1. the environment,
2. `.env` in the working directory (`.env.example` is a start),
3. files in the directory `JIRAIYA_SECRETS_DIR` (`/run/secrets`), each named like its variable in
   lower case, such as `/run/secrets/jiraiya_llm__api_key`,
4. the default.

- An empty value counts as not set. Surrounding white space is dropped.
- Lists are comma-separated (`a,b`) or JSON (`["a", "b"]`); maps are JSON.
- A wrong value stops the start with one line that names it, exit code 2. So does a contradiction
  (SASL without a password, two topics with one name), automatic topics outside dev and, with
  `JIRAIYA_ENV=prod`, a store in memory.
- A name that looks like one of these and is not (`JIRAIYA_ENGIN__MAX_IN_FLIGHT`) is a warning with
  the likely name, not an error: the release beside this one may know it.
- A setting marked *later* belongs to a feature this version does not have. Setting it to anything
  but its default is an error, so that nobody relies on a limit or a check that is not there.
- `OPENAI_API_KEY` and `OPENAI_BASE_URL` stand in for `JIRAIYA_LLM__API_KEY` and
  `JIRAIYA_LLM__BASE_URL`, whichever source they stand in. `OTEL_*` variables mean what
  OpenTelemetry says they mean.
- `jiraiya config show` prints what is in force and where it came from, secrets masked;
  `jiraiya config check` says whether it would start.
"""

_HEADER: Final = "| variable | value | default | meaning |\n| --- | --- | --- | --- |\n"


def configuration_page() -> str:
    """Return the whole page, the same on every machine."""
    schema = Settings.model_json_schema()
    sections = [_OPENING]
    group: str | None = None
    for variable in variables().values():
        here = variable.path[0] if len(variable.path) > 1 else ""
        if here != group:
            sections.append(_heading(here) + _HEADER)
            group = here
        sections[-1] += _row(variable, _property(schema, variable))
    return "\n".join(sections)


def _heading(group: str) -> str:
    if not group:
        return "## General\n\n"
    model = Settings.model_fields[group].annotation
    return f"## `JIRAIYA_{group.upper()}__`\n\n{getdoc(model)}\n\n"


def _property(schema: dict[str, Any], variable: Variable) -> dict[str, Any]:
    found = schema
    for step in variable.path:
        if "$ref" in found:
            found = schema["$defs"][found["$ref"].rpartition("/")[2]]
        found = found["properties"][step]
    return found


def _row(variable: Variable, field: dict[str, Any]) -> str:
    meaning = field["description"] + (" *Later.*" if variable.later else "")
    cells = (f"`{variable.name}`", _kind(variable, field), _default(variable, field), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(variable: Variable, field: dict[str, Any]) -> str:
    # A derived default is described in words; it may be a path of this machine.
    if isinstance(field.get("default"), str) and not _is_plain_default(variable, field):
        return str(field["default"])
    value = reveal(variable.field.get_default(call_default_factory=True, validated_data={}))
    if value is PydanticUndefined or value is None or value in ([], {}):
        return ""
    if isinstance(value, list):
        value = ",".join(map(str, value))
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value:.10g}`" if isinstance(value, float) else f"`{value}`"


def _is_plain_default(variable: Variable, field: dict[str, Any]) -> bool:
    return bool(variable.field.default == field["default"])


def _kind(variable: Variable, field: dict[str, Any]) -> str:
    shapes = [shape for shape in field.get("anyOf", [field]) if shape.get("type") != "null"]
    if variable.secret:
        return "list, partly secret" if "$ref" in shapes[0].get("items", ()) else "secret"
    if "enum" in shapes[0]:
        return " or ".join(f"`{value}`" for value in shapes[0]["enum"])
    names = {
        "array": "list",
        "boolean": "`true` or `false`",
        "integer": "whole number",
        "number": "number",
        "object": "map",
        "string": "text",
    }
    kind = names[shapes[0]["type"]]
    if variable.address:
        kind = "URL"
    elif shapes[0].get("format") == "path":
        kind = "path"
    return kind + _range(shapes[0])


def _range(shape: dict[str, Any]) -> str:
    words = {
        "exclusiveMinimum": "more than",
        "minimum": "at least",
        "maximum": "at most",
    }
    # Ten years is there to keep sums finite, not for anybody to read.
    shape = {key: limit for key, limit in shape.items() if limit != TEN_YEARS_S}
    limits = [f"{word} {shape[key]:.10g}" for key, word in words.items() if key in shape]
    return ", " + ", ".join(limits) if limits else ""


def main() -> int:
    """Write the page, or with `--check` compare it; return the exit code."""
    page = configuration_page()
    if "--check" not in sys.argv[1:]:
        FILE.write_text(page, encoding="utf-8")
        return 0
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == page:
        return 0
    sys.stderr.write(f"{FILE} is not what the settings say; run `make schemas`.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
