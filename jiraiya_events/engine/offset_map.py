"""The offset map: which records beyond the frontier are still outstanding, in commit metadata.

Layout, version 1: the character `1`, then base-85 (RFC 1924 alphabet) of LEB128 varints::

    span       highest - frontier
    count      number of outstanding offsets behind the frontier (the frontier is one itself)
    gaps       for each of them: its distance to the one before, less one
    tries      for each outstanding offset with tries > 0: its index distance to the last such
               one (from -1), then its tries; until the end of the bytes

Everything in `[frontier, highest)` that is not outstanding is finished. Empty metadata means
that nothing is finished beyond the frontier. It grows with outstanding records, not with time.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from jiraiya_events.engine.errors import ProgressUnreadable
from jiraiya_events.engine.records import Committed

MAX_CHARS = 4_000
"""The broker's default `offset.metadata.max.bytes` is 4,096."""

VERSION = "1"

MAX_BYTES = (MAX_CHARS - len(VERSION)) * 4 // 5
"""What base-85 makes `MAX_CHARS` of."""

NOTHING = ("", "\0")
"""Metadata that says nothing; offsets set by hand through librdkafka carry a zero byte."""

MEND = (
    "run the release that wrote it, or see docs/runbooks/stuck-partition.md; going on from the "
    "offset alone would publish again what the map calls finished"
)

HEAD_BYTES = 12
"""Room for span and count whatever they are, so that finishing a record never shrinks a map."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is outstanding (offset → tries, ascending) below `highest`; all else is finished."""

    highest: int
    outstanding: Mapping[int, int] = field(default_factory=dict)

    @property
    def frontier(self) -> int:
        """Return the lowest outstanding offset, else `highest`."""
        return next(iter(self.outstanding), self.highest)

    def is_finished(self, offset: int) -> bool:
        """Tell whether the record at `offset` needs no more work."""
        return offset < self.highest and offset not in self.outstanding


def encode(progress: Progress) -> tuple[Committed, int]:
    """Return what to commit, and the offset up to which it speaks.

    When not all offsets fit, it covers a prefix: records from the returned offset on count as
    not read, so whatever is finished there must wait for a later commit. Tries give way before
    offsets do: were they to shorten the prefix, records an earlier map called finished would be
    forgotten and published twice.
    """
    offsets = list(progress.outstanding)
    gaps = [offset - previous - 1 for previous, offset in pairwise(offsets)]
    kept = min(len(offsets), 1 + _that_fit(gaps))
    covered = progress.highest if kept == len(offsets) else offsets[kept]
    text = _encode_map(offsets[:kept], gaps[: kept - 1], progress.outstanding, covered)
    return Committed(offsets[0] if offsets else covered, text), covered


def decode(committed: Committed) -> Progress:
    """Return the progress that was committed.

    Raises `ProgressUnreadable` when the metadata is not a map of a version known here.
    """
    if committed.offset is None:
        return Progress(0)
    if committed.metadata in NOTHING:
        return Progress(committed.offset)
    if not committed.metadata.startswith(VERSION):
        msg = f"offset map of unknown version {committed.metadata[:1]!r}: {MEND}"
        raise ProgressUnreadable(msg)
    try:
        return _decode_map(committed.offset, committed.metadata[len(VERSION) :])
    except (ValueError, StopIteration, RuntimeError) as error:
        msg = f"damaged offset map at offset {committed.offset}: {MEND}"
        raise ProgressUnreadable(msg) from error


def _that_fit(gaps: list[int]) -> int:
    """Return how many of the first gaps fit, tries left aside."""
    room = MAX_BYTES - HEAD_BYTES
    if len(gaps) <= room and _are_bytes(gaps):
        return len(gaps)
    for index, gap in enumerate(gaps):
        room -= _width(gap)
        if room < 0:
            return index
    return len(gaps)


def _encode_map(offsets: list[int], gaps: list[int], tries: Mapping[int, int], highest: int) -> str:
    if not offsets:
        return ""
    payload = bytearray()
    _put(payload, highest - offsets[0])
    _put(payload, len(offsets) - 1)
    if _are_bytes(gaps):
        payload += bytes(gaps)
    else:
        for gap in gaps:
            _put(payload, gap)
    last_index = -1
    for index, offset in enumerate(offsets):
        if count := tries[offset]:
            pair = bytearray()
            _put(pair, index - last_index - 1)
            _put(pair, count)
            if len(payload) + len(pair) > MAX_BYTES:
                break
            payload += pair
            last_index = index
    return VERSION + base64.b85encode(payload).decode("ascii")


def _decode_map(frontier: int, text: str) -> Progress:
    payload = base64.b85decode(text)
    numbers = _numbers(payload)
    highest = frontier + next(numbers)
    offsets = [frontier]
    for _ in range(next(numbers)):
        offsets.append(offsets[-1] + 1 + next(numbers))
    if offsets[-1] >= highest:
        msg = "an outstanding offset lies beyond the highest one"
        raise ValueError(msg)
    outstanding = dict.fromkeys(offsets, 0)
    index = -1
    for skipped in numbers:
        index += skipped + 1
        outstanding[offsets[_within(index, offsets)]] = next(numbers)
    return Progress(highest, outstanding)


def _within(index: int, offsets: list[int]) -> int:
    if index >= len(offsets):
        msg = "tries for an offset that is not outstanding"
        raise ValueError(msg)
    return index


def _are_bytes(gaps: list[int]) -> bool:
    """Tell whether each is a varint of one byte, as nearly always: then no loop is needed."""
    return max(gaps, default=0) <= 0x7F  # noqa: PLR2004 - LEB128: seven bits a byte


def _put(payload: bytearray, number: int) -> None:
    while number > 0x7F:  # noqa: PLR2004 - LEB128: seven bits a byte
        payload.append(number & 0x7F | 0x80)
        number >>= 7
    payload.append(number)


def _width(number: int) -> int:
    """Return how many bytes `_put` takes."""
    return max(1, (number.bit_length() + 6) // 7)


def _numbers(payload: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in payload:
        number |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            yield number
            number = shift = 0
    if shift:
        msg = "the last number is cut off"
        raise ValueError(msg)
