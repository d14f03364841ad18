"""`jiraiya topics plan` and `jiraiya topics apply`."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

from typing import TYPE_CHECKING

import typer

from jiraiya_events.cli.exits import DONE
from jiraiya_events.cli.output import Json, emit, note, out
from jiraiya_events.cli.session import log_quietly, run, settings_of_this_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jiraiya_events.adapters.kafka.topics import TopicChange, TopicSpec
    from jiraiya_events.settings import Settings

COLOURS = {"missing": "yellow", "created": "green", "differs": "red", "unreadable": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="The topics: what is missing, and creating it.")
    group.command("plan")(plan)
    group.command("apply")(apply)
    app.add_typer(group, name="topics")


def plan(*, json: Json = False) -> None:
    """Show what is missing or differs; changes nothing.

    Names, partitions and replicas are settings: JIRAIYA_TOPICS__PARTITIONS and so on.
    """
    run(_work(create=False, json=json))


def apply(*, json: Json = False) -> None:
    """Create what is missing. May be run at any time, also by several at once.

    A topic that differs is left as it is; how to mend it is said.
    """
    run(_work(create=True, json=json))


def wanted_topics(settings: "Settings") -> "list[TopicSpec]":
    """Return the topics these settings ask for."""
    from jiraiya_events.adapters.kafka.topics import topic_specs
    from jiraiya_events.bootstrap import contract_topics

    return topic_specs(
        contract_topics(settings),
        partitions=settings.topics.partitions,
        replication_factor=settings.topics.replication_factor,
        dlq_retention_s=settings.store.ttl_s,
    )


async def _work(*, create: bool, json: bool) -> int:
    from jiraiya_events.adapters.kafka.topics import apply_topics, plan_topics
    from jiraiya_events.bootstrap import kafka_connection

    settings = settings_of_this_process()
    log_quietly(settings)
    specs = wanted_topics(settings)
    act = apply_topics if create else plan_topics
    changes = await act(kafka_connection(settings), specs)
    if json:
        for change in changes:
            emit(
                {
                    "topic": change.topic,
                    "change": change.change,
                    "detail": change.detail,
                    "mend": change.mend,
                }
            )
    else:
        _print(changes)
    if not changes:
        note(f"all {len(specs)} topics are there and as they should be")
    return DONE


def _print(changes: "Sequence[TopicChange]") -> None:
    console = out()
    missing = any(change.change == "missing" for change in changes)
    for change in changes:
        colour = COLOURS[change.change]
        console.print(
            f"[{colour}]{change.change:10}[/] [bold]{change.topic}[/]  {change.detail}",
            soft_wrap=True,
        )
        if change.mend and change.change != "missing":
            console.print(f"           → {change.mend}", style="dim", markup=False, soft_wrap=True)
    if missing:
        note("`jiraiya topics apply` creates what is missing")
