"""What a transactional writer can answer, and what the engine makes of it.

EngineError
├── Fenced             another owner has started: wait, then ask whether it is still ours
├── Lethal             a record that keeps killing the process: end it without running it
├── NothingAccepted    not even a last resort was taken: stop this partition and say so
├── OutputsRefused     the log will never take these outputs: publish smaller ones
├── ProgressUnreadable the commit's metadata is not ours: stop this partition and say so
└── WriterFailed       anything else: the commit's fate is unknown until the log is asked
"""


class EngineError(Exception):
    """Anything the engine or its ports raise on purpose."""


class Fenced(EngineError):
    """A newer epoch of this partition's writer exists."""


class Lethal(EngineError):
    """A record was alone in flight when the process died, too often to be run once more.

    `unread`: reading its value may be what kills the process.
    """

    def __init__(self, *, unread: bool) -> None:
        super().__init__("the process died each time this record was handled alone")
        self.unread = unread


class NothingAccepted(EngineError):
    """The log refuses every outcome of a record; trying on would change nothing."""


class OutputsRefused(EngineError):
    """The log refused outputs for good; `indices` point into the outputs of the commit."""

    def __init__(self, indices: frozenset[int], reason: str) -> None:
        super().__init__(reason)
        self.indices = indices


class ProgressUnreadable(EngineError):
    """The committed metadata cannot be read; going on would publish twice."""


class WriterFailed(EngineError):
    """The writer failed; nothing is known of the commit until the log is read again."""
