"""Headers read with tolerance: whatever bytes a producer sends, reading them never fails."""

from typing import Final

from jiraiya_events.contract.credentials import is_credential
from jiraiya_events.contract.dropped_key import DROPPED_KEY
from jiraiya_events.contract.record import WireHeaders

PASSED_ON_AT_MOST: Final = 16
PASSED_ON_BYTES: Final = 1024

_BOM: Final = "\ufeff"
_OURS: Final = ("x-dlq-", "x-replay-")
_OUR_NAMES: Final = frozenset({"x-request-partition", *DROPPED_KEY})


def text_of(value: bytes | None) -> str | None:
    """Return a header's value as text without a BOM; None when null, empty or not UTF-8."""
    if not value:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return text.removeprefix(_BOM) or None


class Headers:
    """A record's headers by lower-case name; of duplicates the last wins."""

    __slots__ = ("_pairs",)

    def __init__(self, wire: WireHeaders) -> None:
        self._pairs = {pair[0].lower(): pair for pair in wire}

    def get(self, name: str) -> str | None:
        """Return the text of the header with this lower-case name, or None."""
        pair = self._pairs.get(name)
        return None if pair is None else text_of(pair[1])

    def passed_on(self) -> tuple[tuple[str, str], ...]:
        """Return the `x-` headers an output repeats: the first 16 of up to 1 KiB each.

        Name and value are measured apart, in bytes. Larger ones are left out, not cut; so are
        names and values that are empty or not UTF-8, our own headers, credentials and
        signatures. Names keep their spelling.
        """
        kept: list[tuple[str, str]] = []
        for name, (spelled, value) in self._pairs.items():
            if name.startswith("x-") and _may_pass(name, value):
                text = text_of(value)
                if text is not None and len(kept) < PASSED_ON_AT_MOST:
                    kept.append((spelled, text))
        return tuple(kept)


def _may_pass(name: str, value: bytes | None) -> bool:
    return (
        value is not None
        and len(value) <= PASSED_ON_BYTES
        and 0 < _text_bytes(name) <= PASSED_ON_BYTES
        and not name.startswith(_OURS)
        and name not in _OUR_NAMES
        and not is_credential(name)
    )


def _text_bytes(name: str) -> int:
    """Return how long a name is on the wire, 0 when its bytes there were no UTF-8."""
    try:
        return len(name.encode())
    except UnicodeEncodeError:
        return 0
