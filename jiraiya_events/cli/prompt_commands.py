"""`jiraiya prompt show`: what a model is told."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from jiraiya_events.cli.exits import Failed, Unusable
from jiraiya_events.cli.output import Json, emit, note, out
from jiraiya_events.cli.session import settings_of_this_process

if TYPE_CHECKING:
    from jiraiya_events.domain.request import StoryRequested
    from jiraiya_events.settings import Settings

CANARY: Final = "<canary>"
"""Stands for the word that is another one with each start of the service."""


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

    Without a file, for the contract's example. Exit code 1 when the service would refuse it.

    Try: `echo '{"user_id":"u","keywords":["moon"]}' | jiraiya prompt show --request -`
    """
    settings = settings_of_this_process()
    given = _read(request)
    wish = _admitted(given, settings)
    if wish != given:
        note("the texts below were cleaned as the service does it, and differ from the request")
    call = _call(wish, settings, text=text or settings.llm.answer_form == "text")
    if json:
        emit(call)
    else:
        _print(call)


def _call(wish: "StoryRequested", settings: "Settings", *, text: bool) -> dict[str, Any]:
    from langchain_core.messages import convert_to_openai_messages

    from jiraiya_events.generation.prompt import STORY_SCHEMA, AnswerForm
    from jiraiya_events.generation.prompt_book import PromptBook, output_tokens

    prompt = PromptBook(canary=CANARY).render(wish)
    messages = prompt.messages(AnswerForm.TEXT if text else AnswerForm.JSON)
    return {
        "model": wish.model or settings.llm.model,
        "messages": convert_to_openai_messages(messages),
        "prompt_version": prompt.version,
        "max_output_tokens": settings.llm.max_output_tokens or output_tokens(wish),
        "json_schema": None if text else STORY_SCHEMA,
    }


def _print(call: dict[str, Any]) -> None:
    console = out()
    schema = call["json_schema"]
    parts = [(message["role"], message["content"]) for message in call["messages"]]
    if schema is not None:
        parts.append(("schema of the answer", json_module.dumps(schema, indent=2)))
    for heading, content in parts:
        console.rule(f"[bold]{heading}", align="left", style="dim")
        console.print(content, markup=False, soft_wrap=True)
    form = "plain text" if schema is None else "JSON by the schema"
    note(
        f"\nmodel {call['model']}, prompt {call['prompt_version']}, answer as {form}, "
        f"at most {call['max_output_tokens']} tokens; {CANARY} stands for a word that is "
        "another one with each start of the service"
    )


def _admitted(wish: "StoryRequested", settings: "Settings") -> "StoryRequested":
    """Return the request as the service would pass it on. Raises `Failed` when it would not."""
    from jiraiya_events.generation.safety.input_check import Refused, check_request

    allowed = settings.llm.allowed_models
    if wish.model is not None and wish.model not in allowed:
        msg = f"the service would refuse this as invalid_event: no model but {', '.join(allowed)}"
        raise Failed(msg)
    checked = check_request(wish)
    if isinstance(checked, Refused):
        found = f" (found: {', '.join(checked.patterns)})" if checked.patterns else ""
        msg = f"the service would refuse this as {checked.code}: {checked.message}{found}"
        raise Failed(msg)
    return checked


def _read(path: Path | None) -> "StoryRequested":
    from pydantic import ValidationError

    from jiraiya_events.contract.event_types import EventType
    from jiraiya_events.contract.examples import EXAMPLES
    from jiraiya_events.contract.faults import describe
    from jiraiya_events.domain.request import StoryRequested

    if path is None:
        return StoryRequested.model_validate(EXAMPLES[EventType.REQUESTED])
    piped = str(path) == "-"
    place = "stdin" if piped else str(path)
    try:
        given = json_module.loads(sys.stdin.buffer.read() if piped else path.read_bytes())
        if isinstance(given, dict):
            return StoryRequested.model_validate(given)
        msg = f"{place} is no story.requested payload: it must be a JSON object"
    except OSError as error:
        msg = f"{place} cannot be read: {error.strerror}"
    except ValidationError as error:
        msg = f"{place} is no story.requested payload: {describe(error, StoryRequested)}"
    except (ValueError, RecursionError) as error:
        msg = f"{place} is not JSON: {error}"
    raise Unusable(msg)
