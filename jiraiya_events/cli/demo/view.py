"""How the demo looks: lanes, counters and the newest story; plain lines without a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from jiraiya_events.cli.demo.board import Board, Mark
from jiraiya_events.engine.statistics import Statistics

SIGNS = {
    Mark.WAITING: ("·", "dim"),
    Mark.WRITING: ("✎", "yellow"),
    Mark.DONE: ("✓", "green"),
    Mark.FAILED: ("✗", "red"),
}
EXCERPT_LINES = 6
SHOWN_IN_FULL = 3


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is, for the head of the page and the last lines."""

    kafka: str
    sidecar: str
    model: str


def page(board: Board, statistics: Statistics, places: Places, seconds: float) -> RenderableType:
    """Return the whole live page."""
    return Group(
        Text.assemble(("Kafka", "bold"), f"  Apache Kafka at {places.kafka}"),
        Text.assemble(("model", "bold"), f"  {places.model}"),
        Text(""),
        _lanes(board),
        Text(""),
        _counters(board, statistics, seconds),
        _newest(board),
    )


def summary(board: Board, places: Places, seconds: float) -> str:
    """Return the last lines: what happened, and what to try next."""
    cost = board.cost
    price = "unknown price" if cost is None else f"{cost.amount} USD"
    return "\n".join(
        (
            "",
            f"{_result(board)} in {seconds:.1f} s, {price}.",
            _promise(board),
            "",
            "Next:",
            "  jiraiya broker                       a Kafka of your own, on port 9092",
            "  jiraiya serve                        the service beside it",
            "  jiraiya request dragon moon --wait   one request, and its story",
            f"With --keep all of this stays: {places.sidecar}/asyncapi, {places.sidecar}/metrics.",
        )
    )


def _result(board: Board) -> str:
    asked = len(board.entries)
    return f"{board.stories} stories and {board.failures} clear failures for {asked} requests"


def _promise(board: Board) -> str:
    if board.open:
        return f"{board.open} requests have no event: the log above may tell why."
    return "Every request got its event."


def _lanes(board: Board) -> Table:
    table = Table.grid(padding=(0, 2))
    for user in board.users:
        cells = Text()
        for mark, about in _shortened(board.marks(user)):
            sign, style = SIGNS[mark]
            cells.append(f"{sign} {about}   " if about else sign, style=style)
        table.add_row(Text(user, style="bold"), cells)
    return table


def _shortened(marks: Sequence[tuple[Mark, str]]) -> list[tuple[Mark, str]]:
    """Return a lane that fits a line: the last that ended, the one at work, and the next."""
    if len(marks) <= SHOWN_IN_FULL:
        return list(marks)
    ended = [one for one in marks if one[0] in {Mark.DONE, Mark.FAILED}]
    open_ = [one for one in marks if one not in ended]
    signs = [(mark, "") for mark, _ in ended[:-1]]
    waiting = [(Mark.WAITING, f"… and {len(open_) - 2} more")] if len(open_) > 2 else []  # noqa: PLR2004
    return [*signs, *ended[-1:], *open_[:2], *waiting]


def _counters(board: Board, statistics: Statistics, seconds: float) -> Text:
    cost = board.cost
    parts = [
        f"{board.stories} stories",
        f"{board.failures} failed",
        f"{statistics.in_flight} in flight",
        f"{statistics.waiting} queued",
        *((f"{statistics.parked} parked",) if statistics.parked else ()),
        f"{len(statistics.sessions)} partitions",
        "price unknown" if cost is None else f"{cost.amount} USD",
        f"{seconds:.1f} s",
    ]
    return Text(" · ".join(parts), style="cyan")


def _newest(board: Board) -> RenderableType:
    if board.newest is None:
        return Text("The first story is being written …", style="dim")
    story = board.newest.story
    text = Text(" ".join(story.content.split()))
    title = Text(f"{story.title} — for {board.newest.user_id}")
    height = EXCERPT_LINES + 2
    return Panel(text, title=title, title_align="left", height=height, border_style="green")
