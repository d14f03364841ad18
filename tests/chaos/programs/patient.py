"""`serve` with a store that may take its time: to be held up on a busy machine is no outage.

While the store cannot be used a call is paid for again, as it must be; who counts calls wants none
of that.
"""

from jiraiya_events.adapters.store import redis_connection, sqlite_file, sqlite_thread
from jiraiya_events.cli.app import main

PATIENCE_S = 30.0


def be_patient() -> None:
    """Give the store ten times as long to answer."""
    for owner, name in (
        (redis_connection, "_CONNECT_TIMEOUT_S"),
        (redis_connection, "_IN_ALL_S"),
        (sqlite_file, "BUSY_TIMEOUT_S"),
        (sqlite_thread, "WITHIN_S"),
    ):
        assert hasattr(owner, name), name
        setattr(owner, name, PATIENCE_S)


if __name__ == "__main__":
    be_patient()
    main()
