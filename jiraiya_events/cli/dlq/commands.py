"""`jiraiya dlq list`, `show`, `replay` and `discard`: dead letters, from the alert to the mend."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

import math
from typing import Annotated

import typer

from jiraiya_events.cli.dlq.choice import Choice
from jiraiya_events.cli.output import Json
from jiraiya_events.cli.session import run


def _a_number(rate: float | None) -> float | None:
    if rate is not None and math.isnan(rate):
        msg = "'nan' is no number of dead letters a second."
        raise typer.BadParameter(msg)
    return rate


References = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[REF]...",
        help="`partition:offset` of the dead letter, or the `dlq_reference` of a story.failed "
        "(topic/partition/offset of the request; finding that reads all dead letters).",
    ),
]
Code = Annotated[
    list[str] | None, typer.Option("--code", help="Only this error code; may be repeated.")
]
Since = Annotated[
    str | None,
    typer.Option("--since", help="Failed at or after this: an age (90s, 30m, 2h, 7d) or RFC 3339."),
]
Until = Annotated[str | None, typer.Option("--until", help="Failed before this; likewise.")]
Key = Annotated[list[str] | None, typer.Option("--key", help="Only this key; may be repeated.")]
User = Annotated[
    list[str] | None, typer.Option("--user", "-u", help="Only this user; may be repeated.")
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        "-n",
        min=1,
        help="At most so many, by partition, then by offset; replay counts those it can replay.",
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every one that is not handled yet.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; show a summary by code.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        min=0.01,
        max=10_000,
        callback=_a_number,
        help="Most a second; without it, as fast as it goes.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Dead letters: list, show, replay and discard them."
    )
    group.command("list")(list_)
    group.command("show")(show)
    group.command("replay")(replay)
    group.command("discard")(discard)
    app.add_typer(group, name="dlq")


def list_(  # noqa: PLR0913 - an option for each selector of the contract
    references: References = None,
    *,
    code: Code = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
    user: User = None,
    limit: Limit = None,
    everything: All = False,
    handled: Annotated[
        bool, typer.Option("--handled", help="Also what was replayed or discarded.")
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Only how many there are of each code.")
    ] = False,
    json: Json = False,
) -> None:
    """List dead letters, by partition and offset, and sum them up by code; all if nothing is named.

    Try: `jiraiya dlq list --since 2h`

    Try: `jiraiya dlq list --summary`
    """
    from jiraiya_events.cli.dlq.look import list_letters

    choice = Choice(references, code, since, until, key, user, limit, everything)
    run(list_letters(choice, handled=handled, summary=summary, json=json))


def show(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF", help="`partition:offset`, or the `dlq_reference` of a story.failed."
        ),
    ],
    *,
    json: Json = False,
) -> None:
    """Show one dead letter whole: why, what to do next, its headers and its body.

    A `dlq_reference` names the request; finding its dead letter reads all of them, which takes
    seconds for 100,000.

    Try: `jiraiya dlq show 3:17`
    """
    from jiraiya_events.cli.dlq.look import show_letter

    run(show_letter(reference, json=json))


def replay(  # noqa: PLR0913 - likewise
    references: References = None,
    *,
    code: Code = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
    user: User = None,
    limit: Limit = None,
    everything: All = False,
    dry_run: DryRun = False,
    rate: Rate = None,
    yes: Yes = False,
    edit: Annotated[
        bool,
        typer.Option(
            "--edit",
            help="Change the body of one first: in $EDITOR, or with the body in a file, "
            "`replay REF --edit FILE`.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Publish dead letters again, each exactly once, to the partition they came from.

    Stopped or killed at any moment and run again, it neither repeats nor skips. Exit code 1 when
    some could not be replayed.

    Try: `jiraiya dlq replay --code provider_unavailable --dry-run`

    Try: `jiraiya dlq replay --all --rate 20`

    Try: `jiraiya dlq replay 3:17 --edit`
    """
    from jiraiya_events.cli.dlq.handling import Wish, replay_letters

    choice = Choice(references, code, since, until, key, user, limit, everything)
    replay_letters(choice, Wish(dry_run=dry_run, yes=yes, rate=rate, json=json), edit=edit)


def discard(  # noqa: PLR0913 - likewise
    references: References = None,
    *,
    code: Code = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
    user: User = None,
    limit: Limit = None,
    everything: All = False,
    dry_run: DryRun = False,
    rate: Rate = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Mark dead letters as done without replaying them; `list --handled` still shows them.

    Nothing is deleted: the topic's retention does that.

    Try: `jiraiya dlq discard --code invalid_event --until 7d`
    """
    from jiraiya_events.cli.dlq.handling import Wish, discard_letters

    choice = Choice(references, code, since, until, key, user, limit, everything)
    discard_letters(choice, Wish(dry_run=dry_run, yes=yes, rate=rate, json=json))
