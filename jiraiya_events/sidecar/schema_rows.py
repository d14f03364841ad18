"""A JSON Schema as the rows of a table: one row a property, nested ones below their parent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

DEEPEST: Final = 8

_RANGES: Final = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minProperties", "maxProperties", "pairs"),
    ("minimum", "maximum", ""),
    ("exclusiveMinimum", "exclusiveMaximum", "exclusive"),
)


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """One property; `path` leads from the top to its own name."""

    path: tuple[str, ...]
    kind: str
    required: bool
    description: str
    values: tuple[str, ...]
    limits: tuple[str, ...]
    default: str | None


def resolve(document: Mapping[str, Any], node: object) -> dict[str, Any]:
    """Follow `$ref` within `document`; what cannot be found is an empty schema."""
    seen: set[str] = set()
    while isinstance(node, Mapping) and isinstance(reference := node.get("$ref"), str):
        if reference in seen or not reference.startswith("#/"):
            return {}
        seen.add(reference)
        node = _at(document, reference)
    return dict(node) if isinstance(node, Mapping) else {}


def schema_rows(document: Mapping[str, Any], schema: object) -> list[SchemaRow]:
    """Return the rows of an object schema; references lead into `document` or the schema's own."""
    node = resolve(document, schema)
    if isinstance(node.get("schema"), Mapping) and "schemaFormat" in node:
        node = dict(node["schema"])
    # Definitions inside a schema are addressed from the schema's own root.
    root = {**document, **node} if "$defs" in node else document
    return list(_rows(root, node, ()))


def _rows(root: Mapping[str, Any], node: object, above: tuple[str, ...]) -> Iterator[SchemaRow]:
    schema = _unwrapped(root, node)
    required = schema.get("required") or ()
    for name, raw in (schema.get("properties") or {}).items():
        path = (*above, name)
        yield _row(root, raw, path, required=name in required)
        if len(path) < DEEPEST:
            yield from _rows(root, raw, path)
    if isinstance(schema.get("items"), Mapping) and len(above) < DEEPEST:
        yield from _rows(root, schema["items"], above)


def _row(
    root: Mapping[str, Any], raw: object, path: tuple[str, ...], *, required: bool
) -> SchemaRow:
    own = dict(raw) if isinstance(raw, Mapping) else {}
    schema = {
        **_unwrapped(root, raw),
        **{k: own[k] for k in ("description", "default") if k in own},
    }
    return SchemaRow(
        path=path,
        kind=_kind(root, raw),
        required=required,
        description=str(schema.get("description", "")),
        values=_values(root, schema),
        limits=_limits(root, schema),
        default=_shown(schema["default"]) if schema.get("default") is not None else None,
    )


def _unwrapped(root: Mapping[str, Any], node: object) -> dict[str, Any]:
    """Return the one schema that is not null of an `anyOf`, else the schema itself."""
    schema = resolve(root, node)
    options = [resolve(root, option) for option in schema.get("anyOf", schema.get("oneOf", ()))]
    real = [option for option in options if option.get("type") != "null"]
    if len(real) != 1:
        return schema
    return {**real[0], **{name: value for name, value in schema.items() if name != "anyOf"}}


def _kind(root: Mapping[str, Any], node: object) -> str:
    schema = resolve(root, node)
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(_kind(root, option) for option in options))
    kind = schema.get("type", "const" if "const" in schema else "any")
    if isinstance(kind, list):
        return " or ".join(map(str, kind))
    if kind == "array" and "items" in schema:
        return f"list of {_kind(root, schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"map of {_kind(root, schema['additionalProperties'])}"
    return str(schema.get("format") or kind)


def _values(root: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[str, ...]:
    if "const" in schema:
        return (_shown(schema["const"]),)
    source = schema if "enum" in schema else resolve(root, schema.get("items"))
    return tuple(map(_shown, source.get("enum") or ()))


def _limits(root: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[str, ...]:
    items = resolve(root, schema.get("items"))
    return (*_ranges(schema), *(f"each {limit}" for limit in _ranges(items)))


def _ranges(schema: Mapping[str, Any]) -> Iterator[str]:
    for lowest, highest, unit in _RANGES:
        low, high = schema.get(lowest), schema.get(highest)
        if low is not None and high is not None:
            text = f"{low:,} to {high:,}" if low != high else f"exactly {low:,}"
        elif low is not None:
            text = f"at least {low:,}"
        elif high is not None:
            text = f"at most {high:,}"
        else:
            continue
        yield f"{text} {unit}".rstrip()


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _at(document: Mapping[str, Any], reference: str) -> object:
    node: object = document
    for step in reference.removeprefix("#/").split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        node = node.get(name) if isinstance(node, Mapping) else None
    return node
