"""Can the result store be written to?"""

from typing import Final

from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.generation.result_store import ResultStore
from jiraiya_events.ops.findings import Finding, failed, ok

STORE: Final = "store"


async def check_store(store: ResultStore, place: str) -> list[Finding]:
    """Ping the store; `place` is its address as it may be shown."""
    try:
        await store.ping()
    except StoreUnavailable as error:
        return [failed(STORE, str(error), _mend(place))]
    return [ok(STORE, f"{place} can be written to")]


def _mend(place: str) -> str:
    if place.startswith("redis"):  # whose reason says what to do: start it, or set it right
        return "mend what it says; until then stories go on, and may be paid for twice"
    return "set JIRAIYA_STORE__URL, or JIRAIYA_DATA_DIR, to a store this user can write to"
