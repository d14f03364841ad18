"""Whether a dead letter's answer is paid for, as far as that can be asked from here."""

from jiraiya_events.adapters.store.open_store import open_stores, sqlite_file
from jiraiya_events.cli.exits import Failed
from jiraiya_events.cli.output import note
from jiraiya_events.contract.letters import DeadLetter, Origin
from jiraiya_events.contract.replays import original_envelope
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.settings import Settings
from jiraiya_events.settings.store import Store


async def refuse_paid(settings: Settings, letter: DeadLetter, origin: Origin) -> None:
    """Refuse early what the service would refuse; raises `Failed`.

    Where the store cannot be asked from here that is said, and the service still asks it.
    """
    why = _why_not(settings.store)
    paid = False
    if why is None:
        try:
            paid = await _is_paid(settings.store, original_envelope(letter, origin).identity)
        except StoreUnavailable as error:
            why = str(error)
    if why is not None:
        note(
            f"not checked here: whether its answer is paid for already ({why}). The service "
            "checks it; if it is, the replay comes back as a dead letter with duplicate_conflict"
        )
    if paid:
        msg = (
            f"{letter.reference} cannot be edited: its answer is paid for already, and an answer "
            "belongs to one body: replay it without --edit, or have it sent anew under another id"
        )
        raise Failed(msg)


def _why_not(store: Store) -> str | None:
    if store.url == "memory://":
        return "JIRAIYA_STORE__URL is memory://, which is the service's own memory"
    file = sqlite_file(store.url)
    if file is not None and not file.exists():
        # To open it would create it, empty, and then it would know of no answer.
        return f"JIRAIYA_STORE__URL: there is no file {file}"
    return None


async def _is_paid(settings: Store, identity: RequestIdentity) -> bool:
    stores = open_stores(settings.url, settings.ttl_s, settings.response_cache_s)
    try:
        return await stores.results.is_paid(identity)
    finally:
        await stores.aclose()
