"""From the setting `JIRAIYA_STORE__URL` to a result store."""

from pathlib import Path
from urllib.parse import unquote

from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.adapters.store.sqlite import SqliteStore
from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.generation.ports import ResultStore

_SQLITE = "sqlite:///"


def open_store(url: str, ttl_s: float, clock: Clock | None = None) -> ResultStore:
    """Return the store at `url`; nothing is opened or created before its first use.

    `sqlite:///results.db` is relative, `sqlite:////var/lib/results.db` absolute, and
    percent-encoding is understood. Raises `SettingsError` for any other scheme.
    """
    if url.startswith("memory:"):
        return MemoryStore(ttl_s, clock)
    file = sqlite_file(url)
    if file is not None:
        return SqliteStore(file, ttl_s, clock)
    # Never the whole address: it may hold a password.
    scheme = url.partition(":")[0] or "(empty)"
    line = (
        f"JIRAIYA_STORE__URL: {scheme!r} is not supported; use sqlite:////absolute/path.db "
        "or memory://"
    )
    raise SettingsError((line,))


def sqlite_file(url: str) -> Path | None:
    """Return the file of the SQLite store at `url`; None when it is another kind of store."""
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        return Path(unquote(url.removeprefix(_SQLITE)))
    return None
