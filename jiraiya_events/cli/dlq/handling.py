"""`jiraiya dlq replay` and `jiraiya dlq discard`: look, ask, do, tell.

Looking and doing are two runs of the event loop, so that a question in between is an ordinary
one, which Ctrl-C ends.
"""

import asyncio
import dataclasses
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import typer

from jiraiya_events.bootstrap import contract_topics
from jiraiya_events.cli.dlq.choice import Choice
from jiraiya_events.cli.dlq.desk import open_desk
from jiraiya_events.cli.dlq.edit import edited, split_file
from jiraiya_events.cli.dlq.look import say_missing
from jiraiya_events.cli.dlq.reading import Reading
from jiraiya_events.cli.dlq.stopping import sigterm_as_ctrl_c
from jiraiya_events.cli.dlq.sums import print_summary, summary_rows
from jiraiya_events.cli.dlq.telling import DONE_WORD, Telling
from jiraiya_events.cli.exits import DONE, FAILED, INTERRUPTED, Unusable
from jiraiya_events.cli.output import emit, err, note, out
from jiraiya_events.cli.session import log_quietly, settings_of_this_process
from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.replays import Replay
from jiraiya_events.domain.clock import SystemClock
from jiraiya_events.ops.dead_letters.handling import (
    Decide,
    Fate,
    Handling,
    Result,
    discarding,
    replaying,
)
from jiraiya_events.ops.dead_letters.pace import Pace
from jiraiya_events.ops.dead_letters.selection import Selection
from jiraiya_events.ops.dead_letters.staying import ReplayRules
from jiraiya_events.ops.dead_letters.survey import (
    Counts,
    Look,
    Survey,
    open_ones_count,
    replayable_ones_count,
    survey,
)
from jiraiya_events.settings import Settings

Plan = Callable[[ReplayRules], Decide]

_COUNTS: Final[Mapping[str, Counts]] = {
    "replay": replayable_ones_count,
    "discard": open_ones_count,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """How it is to be done."""

    dry_run: bool
    yes: bool
    rate: float | None
    json: bool


@dataclass(frozen=True, slots=True)
class Work:
    """One command: `verb` is what it does, in a word for people."""

    verb: str
    settings: Settings
    selection: Selection
    wish: Wish


def replay_letters(choice: Choice, wish: Wish, *, edit: bool) -> None:
    """Replay what is chosen, edited if so wished; ends with the exit code."""
    settings = _settings()
    file = None
    if edit:
        choice, file = split_file(choice)
    work = _work("replay", settings, choice, wish)
    with sigterm_as_ctrl_c():
        if not edit:
            _do(work, replaying)
        with asyncio.Runner() as runner:
            place, replay = edited(runner, settings, work.selection, file)

        def make(_: DeadLetter) -> Replay:
            return replay

        # The new body is that letter's alone, whatever else the reference may name by now.
        pinned = dataclasses.replace(work.selection, references=frozenset({place}))
        work = dataclasses.replace(work, selection=pinned)
        _do(work, lambda rules: replaying(rules, make))


def discard_letters(choice: Choice, wish: Wish) -> None:
    """Discard what is chosen; ends with the exit code."""
    work = _work("discard", _settings(), choice, wish)
    with sigterm_as_ctrl_c():
        _do(work, lambda _: discarding)


def _do(work: Work, plan: Plan) -> None:
    """Look, ask unless told not to, do it, and exit."""
    with asyncio.Runner() as runner:
        seen = runner.run(_look(work))
        code = say_missing(seen)
        if work.wish.dry_run or not seen.summary.letters:
            _show(work, seen)
            raise typer.Exit(code)
        if not work.wish.yes and seen.spans:
            _ask(work, seen)
        raise typer.Exit(max(code, runner.run(_handle(work, plan, seen))))


async def _look(work: Work) -> Survey:
    # One that is named and was handled before is spoken of; others would only be noise.
    handled, reading = bool(work.selection.references), Reading(sys.stderr)
    how = Look(handled=handled, counts=_COUNTS[work.verb], reading=reading)
    async with open_desk(work.settings) as desk:
        try:
            return await survey(desk.log, work.selection, desk.rules, how)
        finally:
            reading.erase()


async def _handle(work: Work, plan: Plan, seen: Survey) -> int:
    summary = seen.summary
    total = summary.letters - summary.handled
    telling = Telling(work.verb, named=work.selection.references, json=work.wish.json)
    for found in seen.done_before:
        telling.tell(Result(found.letter, Fate.DONE_BEFORE, mark=found.mark))
    async with open_desk(work.settings) as desk:
        decide = plan(desk.rules)
        pace = Pace(work.wish.rate)
        handling = Handling(desk.log, work.selection, decide, pace, SystemClock())
        with telling.progress(total):
            async with aclosing(handling.run(seen.spans)) as results:
                async for result in results:
                    telling.tell(result)
    return FAILED if telling.some_were_not_done else DONE


def _ask(work: Work, seen: Survey) -> None:
    print_summary(seen.summary, err())
    left = seen.summary.letters - seen.summary.handled
    count = seen.summary.replayable if work.verb == "replay" else left
    nothing = f"nothing was {DONE_WORD[work.verb]}"
    try:
        agreed = typer.confirm(f"{work.verb} {count:,}?", err=True)
    except typer.Abort:
        note(f"\n{nothing}")
        raise typer.Exit(INTERRUPTED) from None
    if not agreed:
        note(nothing)
        raise typer.Exit(FAILED)


def _show(work: Work, seen: Survey) -> None:
    if not seen.summary.letters:
        note(f"nothing to {work.verb}")
    elif work.wish.json:
        for row in summary_rows(seen.summary):
            emit(row)
    else:
        print_summary(seen.summary, out())
    if seen.summary.letters:
        note("nothing was changed (--dry-run)")


def _work(verb: str, settings: Settings, choice: Choice, wish: Wish) -> Work:
    selection = choice.selection(contract_topics(settings).dlq, time.time())
    if choice.is_open:
        msg = f"say what to {verb}: REF…, --code, --since, … or --all; `--dry-run` shows it first"
        raise Unusable(msg)
    if not wish.yes and not wish.dry_run and not sys.stdin.isatty():
        msg = f"nobody can be asked here: add --yes to {verb}, or --dry-run to look"
        raise Unusable(msg)
    return Work(verb, settings, selection, wish)


def _settings() -> Settings:
    settings = settings_of_this_process()
    log_quietly(settings)
    return settings
