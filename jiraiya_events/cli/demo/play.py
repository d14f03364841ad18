"""The demo itself: publish the scenario, show what comes back, sum up."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from jiraiya_events.adapters.telemetry.logs import configure_logs
from jiraiya_events.bootstrap import contract_topics, kafka_connection
from jiraiya_events.cli.demo.board import Board
from jiraiya_events.cli.demo.scenario import Wish, scenario
from jiraiya_events.cli.demo.stage import Stage, stage
from jiraiya_events.cli.demo.view import page, summary
from jiraiya_events.cli.exits import INTERRUPTED
from jiraiya_events.cli.output import note, out
from jiraiya_events.cli.serve_command import stop_on_signals
from jiraiya_events.client.received import read_outcome
from jiraiya_events.client.requests import new_request_id
from jiraiya_events.client.story_client import StoryClient

PATIENCE_S = 300.0
"""As long as a request may take by default: after that it would have failed."""

FRAMES_A_SECOND = 8


async def play(count: int, *, keep: bool, console: Console | None = None) -> int:
    """Run the demo; return 0 when every request got its event, 1 when not, 130 at Ctrl-C."""
    console = console or out()
    configure_logs(level=os.environ.get("JIRAIYA_LOG__LEVEL", "ERROR"), style="console")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    async with AsyncExitStack() as exit_:
        with _starting(console) as tell:
            opening = asyncio.ensure_future(exit_.enter_async_context(stage(os.environ, tell)))
            if await _interrupted(opening, stopping):
                return INTERRUPTED
            running = opening.result()
        acting = asyncio.ensure_future(_act(running, count, console))
        if await _interrupted(acting, stopping):
            return INTERRUPTED
        if keep:
            _say_where(console, running)
            await stopping.wait()
        return acting.result()


async def _interrupted(work: "asyncio.Future[Any]", stopping: asyncio.Event) -> bool:
    """Wait for `work`; cancel it and return True when `stopping` comes first."""
    waiting = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if work.done():
        return False
    note("\nstopping; a second Ctrl-C does not wait for that …")
    work.cancel()
    await asyncio.wait({work})
    return True


async def _act(running: Stage, count: int, console: Console) -> int:
    board = Board()
    loop = asyncio.get_running_loop()
    began = loop.time()

    def show() -> RenderableType:
        return page(board, running.service.statistics(), running.places, loop.time() - began)

    options = kafka_connection(running.settings).client_options()
    topics = contract_topics(running.settings)
    async with StoryClient(options, topics, source="/jiraiya/demo") as client:
        with _screen(console, show) as tell:
            waits = [await _ask(client, board, wish, tell) for wish in scenario(count)]
            results = await asyncio.gather(*waits)
    console.print(summary(board, running.places, loop.time() - began), highlight=False)
    return 0 if all(results) else 1


async def _ask(
    client: StoryClient, board: Board, wish: Wish, tell: Callable[[str], None]
) -> "asyncio.Task[bool]":
    """Publish one wish; return the task that waits for its outcome."""
    request_id = new_request_id()
    board.published(request_id, wish.user, wish.about)
    sent = await client.publish_raw(request_id, wish.body, key=wish.user.encode())
    tell(f"asked   {wish.user}: {wish.about} (partition {sent.partition}, offset {sent.offset})")

    async def outcome() -> bool:
        try:
            record = await client.wait_outcome(request_id, PATIENCE_S)
        except TimeoutError:
            return False
        ended = read_outcome(record)
        if ended is None:
            return False
        tell(f"arrived {board.ended(request_id, ended)}")
        return True

    return asyncio.create_task(outcome())


@contextmanager
def _screen(
    console: Console, show: Callable[[], RenderableType]
) -> Iterator[Callable[[str], None]]:
    """Show the live page; without a terminal, lines as things happen."""
    if not console.is_terminal:
        yield lambda line: console.print(line, highlight=False, markup=False, soft_wrap=True)
        return
    with Live(
        console=console,
        get_renderable=show,
        refresh_per_second=FRAMES_A_SECOND,
        vertical_overflow="crop",
    ):
        yield lambda _: None


@contextmanager
def _starting(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Show what is downloaded or started; every phase keeps its line."""
    if not console.is_terminal:
        said: set[str] = set()

        def line(phase: str, _done: int, _total: int) -> None:
            if phase not in said:
                said.add(phase)
                console.print(f"{phase} …", highlight=False)

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def bar(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=total)
            progress.update(tasks[phase], completed=done, total=total)

        yield bar


def _say_where(console: Console, running: Stage) -> None:
    places = running.places
    console.print(
        f"\nKept running: Kafka at {places.kafka}, {places.sidecar}/asyncapi, "
        f"{places.sidecar}/metrics, {places.sidecar}/health/ready. Ctrl-C ends it.",
        highlight=False,
        soft_wrap=True,
    )
    sys.stdout.flush()
