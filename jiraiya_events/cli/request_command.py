"""`jiraiya request`: publish one request, and with `--wait` print what became of it."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

import getpass
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jiraiya_events.cli.exits import DONE, FAILED, Failed, Unusable
from jiraiya_events.cli.output import Json, emit, err, note
from jiraiya_events.cli.session import log_quietly, run, settings_of_this_process

if TYPE_CHECKING:
    from jiraiya_events.client import Sent, StoryClient
    from jiraiya_events.domain.request import StoryRequested

PUBLISHING_S = 2.0
"""How much longer than its deadline an outcome is waited for: one at the deadline is on its way."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("request")(request)


def request(  # noqa: PLR0913 - an option for each field of the contract
    keywords: Annotated[
        list[str], typer.Argument(help="What the story is about.", metavar="KEYWORDS...")
    ],
    *,
    user: Annotated[
        str | None, typer.Option("--user", "-u", help="Whose story; also the ordering key.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Wait for the outcome and print it.")
    ] = False,
    genre: Annotated[str | None, typer.Option(help="Such as 'fairy tale'.")] = None,
    tone: Annotated[str | None, typer.Option(help="Such as cheerful.")] = None,
    audience: Annotated[str | None, typer.Option(help="children, teens or adults.")] = None,
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="A BCP 47 tag, such as fa or pt-BR.")
    ] = None,
    length: Annotated[
        str | None, typer.Option(help="short, medium or long: 200, 500 or 1,000 words.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="A hint for the title.")] = None,
    character: Annotated[
        list[str] | None, typer.Option("--character", "-c", help="Who appears; may be repeated.")
    ] = None,
    instructions: Annotated[str | None, typer.Option(help="Further wishes.")] = None,
    model: Annotated[str | None, typer.Option(help="A model on the allow-list.")] = None,
    id_: Annotated[
        str | None, typer.Option("--id", help="The request's id; the same again is paid once.")
    ] = None,
    timeout_s: Annotated[
        float | None, typer.Option("--timeout-s", help="Seconds to the deadline (1 to 600).")
    ] = None,
    json: Json = False,
) -> None:
    """Publish one story.requested; exit code 1 when its story failed.

    Try: `jiraiya request dragon lighthouse --wait`

    Try: `jiraiya request moon cat --user mina --genre mystery --length medium --wait`
    """
    fields = {
        "user_id": user or _login(),
        "keywords": keywords,
        "genre": genre,
        "tone": tone,
        "audience": audience,
        "language": language,
        "length": length,
        "title": title,
        "characters": character,
        "instructions": instructions,
        "model": model,
        "request_id": id_,
        "timeout_ms": None if timeout_s is None else int(timeout_s * 1000),
    }
    given = {name: value for name, value in fields.items() if value is not None}
    run(_request(given, wait=wait, json=json))


async def _request(fields: dict[str, Any], *, wait: bool, json: bool) -> int:
    from jiraiya_events.bootstrap import contract_topics, kafka_connection
    from jiraiya_events.cli.producer_spans import producer_spans
    from jiraiya_events.client import StoryClient

    wish = _wish(fields)
    settings = settings_of_this_process()
    log_quietly(settings)
    options = kafka_connection(settings).client_options()
    async with AsyncExitStack() as stack:
        traced = stack.enter_context(producer_spans(os.environ))
        client = await stack.enter_async_context(
            StoryClient(options, contract_topics(settings), sampled=None if traced else True)
        )
        sent = await client.publish_request(wish)
        place = f"{settings.topics.requested}/{sent.partition}/{sent.offset}"
        if not wait:
            _published(sent, place, json=json)
            return DONE
        note(f"published {sent.request_id} at {place}; waiting for its outcome …")
        deadline_s = (wish.timeout_ms or settings.engine.default_deadline_s * 1000) / 1000
        return await _await(client, sent, deadline_s + PUBLISHING_S, json=json)


async def _await(client: "StoryClient", sent: "Sent", patience_s: float, *, json: bool) -> int:
    from jiraiya_events.cli.outcome_view import print_outcome
    from jiraiya_events.cli.record_view import record_row
    from jiraiya_events.client import read_outcome
    from jiraiya_events.domain.outcome import StoryGenerated

    with err().status("a story is being written …"):
        try:
            received = await client.wait_outcome(sent.request_id, patience_s)
        except TimeoutError:
            msg = (
                f"no outcome within {patience_s:.0f} s: is the service running? `jiraiya health` "
                f"and `jiraiya doctor` tell; the request {sent.request_id} stays in its topic"
            )
            raise Failed(msg) from None
    outcome = read_outcome(received)
    if json:
        emit(record_row(received))
    else:
        print_outcome(received, outcome)
    return DONE if isinstance(outcome, StoryGenerated) else FAILED


def _wish(fields: dict[str, Any]) -> "StoryRequested":
    from pydantic import ValidationError

    from jiraiya_events.contract.faults import describe
    from jiraiya_events.domain.request import StoryRequested

    try:
        return StoryRequested.model_validate(fields)
    except ValidationError as error:
        msg = f"no such request is possible: {describe(error, StoryRequested)}"
    raise Unusable(msg)


def _published(sent: "Sent", place: str, *, json: bool) -> None:
    if json:
        emit({"request_id": sent.request_id, "partition": sent.partition, "offset": sent.offset})
    note(f"published {sent.request_id} at {place}; `jiraiya tail` shows what becomes of it")


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "someone"
