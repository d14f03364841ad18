"""`jiraiya store forget`: erase what is kept about a user."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jiraiya_events.cli.exits import DONE, FAILED, INTERRUPTED, Failed, Unusable
from jiraiya_events.cli.output import Json, emit, note, out
from jiraiya_events.cli.session import log_quietly, run, settings_of_this_process

if TYPE_CHECKING:
    from jiraiya_events.settings import Settings

KAFKA_KEEPS = (
    "Kafka's topics are not touched: requests, stories, failures and dead letters that name this "
    "user stay there until their retention ends"
)

STILL_READABLE = (
    "erased, but another program is at work in the file and its log (the file that ends in -wal), "
    "where what was erased can still be read: run it again when that program has ended or is idle"
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="What is kept of requests and stories.")
    # With a single command typer would take the group for the command itself.
    group.callback()(_of_the_store)
    group.command("forget")(forget)
    app.add_typer(group, name="store")


def _of_the_store() -> None:
    """Look after what is kept of requests and stories."""


def forget(
    *,
    user: Annotated[
        str, typer.Option("--user", "-u", help="The `user_id` of the requests.", metavar="USER")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Erase a user's stored outcomes, paid answers and cached answers; says how many requests.

    The service may go on running; stop this user's requests first, or it stores new ones. Events
    in Kafka's topics stay there until their retention ends.
    """
    if not user:
        msg = "--user is empty"
        raise Unusable(msg)
    settings = settings_of_this_process()
    log_quietly(settings)
    _refuse_what_is_not_there(settings)
    if not yes:
        _ask(user)
    run(_forget(settings, user, json=json))


async def _forget(settings: "Settings", user: str, *, json: bool) -> int:
    from jiraiya_events.adapters.store.open_store import open_stores

    store = settings.store
    stores = open_stores(store.url, store.ttl_s, store.response_cache_s)
    try:
        erased = await stores.forget(user)
        overwritten = await stores.overwrite()
    finally:
        await stores.aclose()
    if json:
        emit({"user": user, "requests": erased})
    else:
        word = "request" if erased == 1 else "requests"
        out().print(f"erased {erased:,} {word} of {user!r}", markup=False)
    note(KAFKA_KEEPS)
    if not overwritten:
        note(STILL_READABLE)
        return FAILED
    return DONE


def _refuse_what_is_not_there(settings: "Settings") -> None:
    from jiraiya_events.adapters.store.open_store import sqlite_file

    url = settings.store.url
    if url == "memory://":
        msg = (
            "JIRAIYA_STORE__URL is memory://, which is the service's own memory: "
            "restart the service to empty it"
        )
        raise Unusable(msg)
    file = sqlite_file(url)
    if file is not None and not file.exists():
        # To open it would create it, empty, and "erased" would be a lie.
        msg = (
            f"there is no file {file}, so nothing was erased: set JIRAIYA_STORE__URL (or "
            "JIRAIYA_DATA_DIR) as the service has it, and run this where its file is"
        )
        raise Failed(msg)


def _ask(user: str) -> None:
    if not sys.stdin.isatty():
        msg = "nobody can be asked here: add --yes to forget"
        raise Unusable(msg)
    try:
        agreed = typer.confirm(f"erase everything stored for {user!r}?", err=True)
    except typer.Abort:
        note("\nnothing was erased")
        raise typer.Exit(INTERRUPTED) from None
    if not agreed:
        note("nothing was erased")
        raise typer.Exit(FAILED)
