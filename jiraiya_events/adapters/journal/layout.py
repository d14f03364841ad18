"""The bytes of a journal: a header, then a slot for each record that may be in flight at once.

A slot's position is written before its `used` byte is set, and that byte is cleared before the slot
is used again, so that a process killed between any two bytes leaves no position half written.
"""

from collections.abc import Sequence
from enum import IntEnum
from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple

MAGIC: Final = b"jiraiya1"

POSITION: Final = Struct("<qiqq")
"""Topic (hashed, its scope included), partition, offset, timestamp in milliseconds.

The timestamp tells a record from one at the same offset of a topic that was made anew.
"""

_HEADER: Final = Struct("<8sB3xiq36s4x")
_END_AT: Final = 8
SLOT_BYTES: Final = 32
USED_AT: Final = 28


class End(IntEnum):
    """How the process that wrote a journal ended."""

    UNKNOWN = 0
    """It lives, or nobody has looked yet."""
    CLEAN = 1
    CRASHED = 2
    KILLED = 3


class Notes(NamedTuple):
    """What a journal says; `ooms` and `boot` describe the machine when it was made."""

    end: End
    boot: str
    ooms: int | None
    running: tuple[bytes, ...]


def empty(slots: int, boot: str, ooms: int | None) -> bytes:
    """Return a journal of a process that has just started."""
    known = -1 if ooms is None else ooms
    header = _HEADER.pack(MAGIC, End.UNKNOWN, slots, known, boot.encode())
    return header + bytes(slots * SLOT_BYTES)


def slot_at(note: int) -> int:
    """Return where a slot begins."""
    return _HEADER.size + note * SLOT_BYTES


def with_end(end: End) -> tuple[int, bytes]:
    """Return where to write what to say how the process ended."""
    return _END_AT, bytes([end])


def read(data: bytes) -> Notes:
    """Return what is in a journal; raises ValueError when it is none of ours."""
    if len(data) < _HEADER.size:
        msg = "too short for a journal"
        raise ValueError(msg)
    magic, end, slots, ooms, boot = _HEADER.unpack_from(data)
    if magic != MAGIC or len(data) != slot_at(slots):
        msg = "not a journal of this version"
        raise ValueError(msg)
    places: Sequence[int] = [slot_at(note) for note in range(slots)]
    running = tuple(data[at : at + POSITION.size] for at in places if data[at + USED_AT])
    text = boot.rstrip(b"\0").decode("ascii", "replace")
    return Notes(End(end), text, None if ooms < 0 else ooms, running)


def topic_number(scope: str, topic: str) -> int:
    """Return what stands for a topic in a position; `scope` tells groups and clusters apart."""
    digest = blake2b(f"{scope}\0{topic}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
