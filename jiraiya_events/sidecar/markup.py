"""HTML by function calls: everything that is not markup already is escaped."""

import re
from html import escape
from typing import Final

_CODE: Final = re.compile(r"`([^`]+)`")


class Markup(str):
    """Text that is HTML; the only kind of text that is not escaped."""

    __slots__ = ()


def tag(name: str, *children: str | None, **attributes: str | bool | None) -> Markup:
    """Return an element; `class_` is `class`, None leaves a child or an attribute out."""
    opened = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(value)}"')
        for key, value in attributes.items()
        if isinstance(value, str) or value is True
    )
    return Markup(f"<{name}{opened}>{join(*children)}</{name}>")


def join(*children: str | None) -> Markup:
    """Return the children one after another."""
    return Markup("".join(_safe(child) for child in children if child is not None))


def prose(text: str) -> Markup:
    """Return plain text whose `backticked` parts are code."""
    return Markup(_CODE.sub(r"<code>\1</code>", escape(text, quote=False)))


def _safe(child: str) -> str:
    return child if isinstance(child, Markup) else escape(child)
