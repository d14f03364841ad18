"""`serve` with a store that may take its time: a Redis that a busy machine holds up is no outage.

And hasty with the dead, so that nobody waits for them longer than needed.
"""

from jiraiya_events.adapters.store import redis_connection
from jiraiya_events.cli.app import main
from tests.chaos.programs.hasty import hasten

PATIENCE_S = 30.0


def be_patient() -> None:
    """Give Redis ten times as long to answer."""
    for name in ("_CONNECT_TIMEOUT_S", "_IN_ALL_S"):
        assert hasattr(redis_connection, name), name
        setattr(redis_connection, name, PATIENCE_S)


if __name__ == "__main__":
    be_patient()
    hasten()
    main()
