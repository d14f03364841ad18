"""`jiraiya dlq list` and `jiraiya dlq show`."""

import time
from contextlib import aclosing

from jiraiya_events.bootstrap import contract_topics
from jiraiya_events.cli.dlq.choice import Choice, reference_of
from jiraiya_events.cli.dlq.session import open_desk
from jiraiya_events.cli.dlq.view import (
    found_row,
    print_found,
    print_summary,
    summary_rows,
)
from jiraiya_events.cli.dlq.whole import print_whole, whole_row
from jiraiya_events.cli.exits import DONE, FAILED, Failed
from jiraiya_events.cli.output import emit, err, note, out
from jiraiya_events.cli.session import log_quietly, settings_of_this_process
from jiraiya_events.ops.dead_letters.references import Reference
from jiraiya_events.ops.dead_letters.selection import Selection
from jiraiya_events.ops.dead_letters.survey import Survey, look


async def list_letters(choice: Choice, *, handled: bool, summary: bool, json: bool) -> int:
    """List what is chosen as it is read, then sum it up."""
    settings = settings_of_this_process()
    log_quietly(settings)
    selection = choice.selection(contract_topics(settings).dlq, time.time())
    survey = Survey()
    async with open_desk(settings) as desk:
        found = look(desk.log, selection, desk.rules, handled=handled or bool(choice.references))
        async with aclosing(found) as every:
            async for one in every:
                survey.add(one)
                if not summary:
                    emit(found_row(one)) if json else print_found(one)
    _sum_up(survey, summary=summary, json=json)
    return say_missing(survey, selection)


async def show_letter(text: str, *, json: bool) -> int:
    """Show every dead letter of this name; there is one unless offsets were set back by hand."""
    settings = settings_of_this_process()
    log_quietly(settings)
    topics = contract_topics(settings)
    reference = reference_of(text, topics.dlq)
    selection = Selection(references=frozenset({reference}))
    shown = 0
    async with (
        open_desk(settings) as desk,
        aclosing(look(desk.log, selection, desk.rules, handled=True)) as every,
    ):
        async for found in every:
            shown += 1
            emit(whole_row(found)) if json else print_whole(out(), found)
    if not shown:
        raise Failed(_nothing(reference))
    return DONE


def say_missing(survey: Survey, selection: Selection) -> int:
    """Name the references under which there is nothing; return the exit code."""
    missing = survey.missing(selection)
    for reference in missing:
        note(f"error: {_nothing(reference)}")
    return FAILED if missing else DONE


def _sum_up(survey: Survey, *, summary: bool, json: bool) -> None:
    if not survey.summary.letters:
        note("no dead letters" if summary else "no dead letters match")
    elif not summary:
        print_summary(survey.summary, err())
    elif json:
        for row in summary_rows(survey.summary):
            emit(row)
    else:
        print_summary(survey.summary, out())


def _nothing(reference: Reference) -> str:
    return (
        f"there is no dead letter {reference}: it never was, or retention has deleted it; "
        "`jiraiya dlq list --handled` shows those there are"
    )
