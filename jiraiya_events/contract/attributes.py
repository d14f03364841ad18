"""CloudEvents attributes, wherever they stand: `ce_` headers or a structured event's body."""

from collections.abc import Mapping

from jiraiya_events.contract.headers import Headers


class Attributes:
    """The attributes of one event; a structured event's own come before the headers' copies."""

    __slots__ = ("_body", "headers")

    def __init__(self, headers: Headers, body: Mapping[str, object] | None = None) -> None:
        self.headers = headers
        self._body = body or {}

    def get(self, name: str) -> str | None:
        """Return the attribute's text; None when it is absent, empty or no string."""
        value = self._body.get(name)
        if isinstance(value, str) and value:
            return value
        return self.headers.get(f"ce_{name}")

    def unreadable(self, name: str) -> bool:
        """Tell whether a structured event has this attribute as something other than a string."""
        value = self._body.get(name)
        return value is not None and not isinstance(value, str)
