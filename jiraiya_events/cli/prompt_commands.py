"""`jiraiya prompt show`: what a model is told."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jiraiya_events.cli.exits import Unusable
from jiraiya_events.cli.output import Json, emit, note, out
from jiraiya_events.cli.session import settings_of_this_process

if TYPE_CHECKING:
    from jiraiya_events.domain.request import StoryRequested


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="What the model is told.")
    group.command("show")(show)
    app.add_typer(group, name="prompt")


def show(
    *,
    request: Annotated[
        Path | None,
        typer.Option(
            "--request",
            "-r",
            help="A story.requested payload (JSON); - reads stdin.",
            metavar="FILE",
        ),
    ] = None,
    text: Annotated[
        bool, typer.Option("--text", help="As told to an endpoint without structured output.")
    ] = False,
    json: Json = False,
) -> None:
    """Print exactly what would be sent to the model for a request; nothing is sent.

    Without a file, for the contract's example.

    Try: `echo '{"user_id":"u","keywords":["moon"]}' | jiraiya prompt show --request -`
    """
    from jiraiya_events.generation.prompt import STORY_SCHEMA, AnswerForm, PromptTemplate

    settings = settings_of_this_process()
    wish = _read(request)
    prompt = PromptTemplate().render(wish)
    messages = prompt.messages(AnswerForm.TEXT if text else AnswerForm.JSON)
    model = wish.model or settings.llm.model
    if json:
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": role, "content": content} for role, content in messages],
            "prompt_version": prompt.version,
            "max_output_tokens": settings.llm.max_output_tokens,
            "json_schema": None if text else STORY_SCHEMA,
        }
        emit(body)
        return
    for role, content in messages:
        out().rule(f"[bold]{role}", align="left", style="dim")
        out().print(content, markup=False, soft_wrap=True)
    form = "plain text" if text else "JSON by schema (title, content)"
    note(f"\nmodel {model}, prompt {prompt.version}, answer as {form}")


def _read(path: Path | None) -> "StoryRequested":
    from pydantic import ValidationError

    from jiraiya_events.contract.event_types import EventType
    from jiraiya_events.contract.examples import EXAMPLES
    from jiraiya_events.contract.faults import describe
    from jiraiya_events.domain.request import StoryRequested

    if path is None:
        return StoryRequested.model_validate(EXAMPLES[EventType.REQUESTED])
    try:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return StoryRequested.model_validate(json_module.loads(raw))
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
    except ValidationError as error:
        msg = f"{path} is no story.requested payload: {describe(error, StoryRequested)}"
    except (ValueError, RecursionError) as error:
        msg = f"{path} is not JSON: {error}"
    raise Unusable(msg)
