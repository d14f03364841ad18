"""An outcome as a person reads it: the story to stdout, what it took to stderr."""

from rich.markup import escape
from rich.padding import Padding

from jiraiya_events.cli.output import err, out
from jiraiya_events.client import Received
from jiraiya_events.domain.outcome import Outcome, StoryFailed, StoryGenerated


def print_outcome(record: Received, outcome: Outcome | None) -> None:
    """Print the story, or why there is none."""
    if isinstance(outcome, StoryGenerated):
        _print_story(outcome)
    elif isinstance(outcome, StoryFailed):
        _print_failure(outcome)
    else:
        err().print(f"an event of the unknown type {record.type}", markup=False)


def _print_story(outcome: StoryGenerated) -> None:
    console = out()
    console.print()
    console.print(f"  [bold]{escape(outcome.story.title)}[/]")
    for paragraph in outcome.story.content.split("\n\n"):
        console.print()
        console.print(Padding(escape(paragraph.strip()), (0, 2)), width=min(console.width, 88))
    console.print()
    cost = "price unknown" if outcome.cost is None else f"${outcome.cost.amount}"
    facts = (
        f"{outcome.story.word_count} words",
        outcome.model,
        f"{outcome.timings.total_ms / 1000:.1f} s",
        cost,
        *(() if outcome.source == "model" else (f"from the {outcome.source}",)),
    )
    err().print("  " + " · ".join(facts), style="dim", markup=False)


def _print_failure(outcome: StoryFailed) -> None:
    error = outcome.error
    console = err()
    console.print(f"[red]✗ {error.code}[/] {escape(error.message)}")
    if outcome.dead_lettered:
        console.print(f"  kept as a dead letter: {outcome.dlq_reference}", style="dim")
    elif error.retryable:
        console.print("  worth sending again, under a new id", style="dim")
