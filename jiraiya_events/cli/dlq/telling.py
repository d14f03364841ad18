"""What is told while dead letters are handled: a bar, JSON rows, and what stays."""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jiraiya_events.cli.dlq.lines import mark_row
from jiraiya_events.cli.output import emit, err, note
from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.marks import Mark
from jiraiya_events.ops.dead_letters.handling import Fate, Result
from jiraiya_events.ops.dead_letters.references import Reference, names_of
from jiraiya_events.ops.dead_letters.staying import WORDS, Stays

DONE_WORD: Final = {"replay": "replayed", "discard": "discarded"}
_NAMED_AT_MOST: Final = 5


class Telling:
    """Told every result once; says the sum at the end, however that came."""

    def __init__(self, verb: str, *, named: AbstractSet[Reference], json: bool) -> None:
        self._done_word = DONE_WORD[verb]
        self._named = named
        self._json = json
        self._fates: Counter[Fate] = Counter()
        self._stays: Counter[Stays] = Counter()
        self._names: dict[Stays, list[str]] = {}
        self._before: set[str] = set()
        self._otherwise = False
        self._advance = _nothing

    @property
    def some_were_not_done(self) -> bool:
        """Whether some stay, or were named and had been handled in the other way."""
        return bool(self._stays) or self._otherwise

    @contextmanager
    def progress(self, total: int) -> Iterator[None]:
        """Show a bar to people; afterwards, also after an error or Ctrl-C, say what was done."""
        console = err()
        bar = Progress(
            TextColumn(f"{self._done_word}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=self._json or not console.is_terminal,
        )
        task = bar.add_task("", total=total)
        self._advance = lambda: bar.advance(task)
        try:
            with bar:
                yield
        except BaseException:
            self._sum_up()
            note("stopped early: run the same command again, it goes on from there")
            raise
        self._sum_up()

    def tell(self, result: Result) -> None:
        """Take a result in; one that was handled before only matters to whoever named it."""
        letter = result.letter
        if result.mark is None:
            self._advance()
        elif letter.reference in self._before or not self._is_named(letter):
            return
        else:
            self._handled_before(letter, result.mark)
        self._fates[result.fate] += 1
        if result.stays is not None:
            self._keep(result.stays, letter.reference)
        if self._json:
            emit(_row(result))

    def _keep(self, reason: Stays, reference: str) -> None:
        self._stays[reason] += 1
        names = self._names.setdefault(reason, [])
        if len(names) < _NAMED_AT_MOST:
            names.append(reference)

    def _is_named(self, letter: DeadLetter) -> bool:
        return any(name in self._named for name in names_of(letter))

    def _handled_before(self, letter: DeadLetter, mark: Mark) -> None:
        self._before.add(letter.reference)
        note(f"{letter.reference} was {mark.action} before: nothing was done")
        if mark.action != self._done_word:
            self._otherwise = True

    def _sum_up(self) -> None:
        done = self._fates[Fate.REPLAYED] + self._fates[Fate.DISCARDED]
        note(f"{self._done_word} {done:,}")
        for reason, count in self._stays.items():
            names = self._names[reason]
            more = f" and {count - len(names):,} more" if count > len(names) else ""
            note(f"{count:,} stay ({', '.join(names)}{more}): {WORDS[reason]}")


def _row(result: Result) -> dict[str, Any]:
    letter = result.letter
    return {
        "reference": letter.reference,
        "request": None if letter.origin is None else str(letter.origin),
        "code": letter.code,
        "fate": result.fate,
        "stays": result.stays,
        **mark_row(result.mark),
    }


def _nothing() -> None:
    pass
