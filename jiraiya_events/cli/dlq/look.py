"""`jiraiya dlq list` and `jiraiya dlq show`."""

import shutil
import sys
import time
from contextlib import aclosing

import typer

from jiraiya_events.bootstrap import contract_topics
from jiraiya_events.cli.dlq.choice import Choice, reference_of
from jiraiya_events.cli.dlq.desk import open_desk
from jiraiya_events.cli.dlq.lines import found_row, heading, line_of
from jiraiya_events.cli.dlq.page import page_row, print_page
from jiraiya_events.cli.dlq.reading import Reading
from jiraiya_events.cli.dlq.sums import print_summary, summary_rows
from jiraiya_events.cli.exits import DONE, FAILED, Failed
from jiraiya_events.cli.output import emit, err, note, out
from jiraiya_events.cli.session import log_quietly, settings_of_this_process
from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.marks import Mark
from jiraiya_events.contract.rfc3339 import format_rfc3339
from jiraiya_events.ops.dead_letters.references import Reference
from jiraiya_events.ops.dead_letters.selection import Selection
from jiraiya_events.ops.dead_letters.survey import (
    Found,
    Look,
    Survey,
    all_count,
    look,
    open_ones_count,
)


async def list_letters(choice: Choice, *, handled: bool, summary: bool, json: bool) -> int:
    """List what is chosen as it is read, then sum it up; of what is hidden, say what was named."""
    settings = settings_of_this_process()
    log_quietly(settings)
    selection = choice.selection(contract_topics(settings).dlq, time.time())
    survey, listing, reading = Survey(set(selection.references)), _Listing(), Reading(sys.stderr)
    counts = all_count if handled else open_ones_count
    how = Look(
        handled=handled or bool(choice.references),
        counts=counts,
        left_out=survey.leave_out,
        reading=reading,
    )
    async with (
        open_desk(settings) as desk,
        aclosing(look(desk.log, selection, desk.rules, how)) as every,
    ):
        async for one in every:
            if one.mark is not None and not handled:
                survey.met(one.letter)
                reading.erase()
                note(_hidden(one.letter, one.mark))
                continue
            survey.add(one)
            if not summary:
                reading.erase()
                emit(found_row(one)) if json else listing.print(one)
    reading.erase()
    _sum_up(survey, summary=summary, json=json)
    return say_missing(survey)


async def show_letter(text: str, *, json: bool) -> int:
    """Show every dead letter of this name; there is one unless offsets were set back by hand."""
    settings = settings_of_this_process()
    log_quietly(settings)
    topics = contract_topics(settings)
    reference = reference_of(text, topics.dlq)
    selection = Selection(references=frozenset({reference}))
    shown, reading = 0, Reading(sys.stderr)
    how = Look(handled=True, reading=reading)
    async with (
        open_desk(settings) as desk,
        aclosing(look(desk.log, selection, desk.rules, how)) as every,
    ):
        async for found in every:
            shown += 1
            reading.erase()
            emit(page_row(found)) if json else print_page(out(), found)
    reading.erase()
    if not shown:
        raise Failed(_nothing(reference))
    return DONE


def say_missing(survey: Survey) -> int:
    """Name the references under which nothing was selected; return the exit code."""
    for reference in sorted(survey.missing, key=str):
        words = _left_out if reference in survey.left_out else _nothing
        note(f"error: {words(reference)}")
    return FAILED if survey.missing else DONE


class _Listing:
    """Lines on stdout, as wide as the terminal there, under a heading."""

    def __init__(self) -> None:
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        self._begun = False

    def print(self, found: Found) -> None:
        if not self._begun:
            typer.echo(heading())
            self._begun = True
        typer.echo(line_of(found, self._width))


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


def _hidden(letter: DeadLetter, mark: Mark) -> str:
    when = format_rfc3339(mark.at)
    return f"{letter.reference} was {mark.action} at {when}: `--handled` lists it, too"


def _left_out(reference: Reference) -> str:
    return (
        f"{reference} is there, but the other selectors leave it out; "
        f"`jiraiya dlq show {reference}` shows it"
    )


def _nothing(reference: Reference) -> str:
    return (
        f"there is no dead letter {reference}: it never was, or retention has deleted it; "
        "`jiraiya dlq list --handled` shows those there are"
    )
