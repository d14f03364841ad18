"""A lock between processes: a file that is held.

The operating system drops it when its holder dies, however it dies. On a file system that cannot
lock every attempt raises `OSError`, since waiting would never end.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager, contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

_POLL_S = 0.1

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:  # this platform's word for held
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def try_exclusive(path: Path) -> Iterator[bool]:
    """Hold the lock file at ``path`` if nobody else does; yield whether we hold it.

    Raises:
        OSError: it cannot be made, or its file system knows no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Closing the file is what releases the lock.
    with path.open("ab") as file:
        yield _try_lock(file)


@asynccontextmanager
async def exclusive(path: Path) -> AsyncIterator[None]:
    """Hold the lock file at ``path``, waiting for other processes and tasks.

    Raises:
        OSError: as `try_exclusive`.
    """
    while True:
        with try_exclusive(path) as held:
            if held:
                yield
                return
        await asyncio.sleep(_POLL_S)
