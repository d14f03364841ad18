"""`jiraiya dlq replay REF --edit [FILE]`: another body for one dead letter."""

import asyncio
import json
import os
import shlex
import subprocess
import tempfile
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Final

from jiraiya_events.adapters.store.open_store import open_store
from jiraiya_events.cli.dlq.choice import Choice
from jiraiya_events.cli.dlq.session import open_desk
from jiraiya_events.cli.exits import Failed, Unusable
from jiraiya_events.contract.letters import DeadLetter, Origin
from jiraiya_events.contract.replays import Replay, edited_replay_of, original_envelope
from jiraiya_events.domain.errors import RequestFailure, StoreUnavailable
from jiraiya_events.ops.dead_letters.references import read_reference
from jiraiya_events.ops.dead_letters.selection import Selection
from jiraiya_events.ops.dead_letters.staying import WORDS
from jiraiya_events.ops.dead_letters.survey import Found, look
from jiraiya_events.settings import Settings

PAID: Final = (
    "its answer is paid for already, and an answer belongs to one body: replay it without --edit, "
    "or have it sent anew under another id"
)


def split_file(choice: Choice) -> tuple[Choice, Path | None]:
    """Take the file out of the references: what is no reference. Raises `Unusable`."""
    given = choice.references or []
    files = [text for text in given if read_reference(text, "") is None]
    if len(files) > 1:
        msg = f"--edit takes one FILE, not {', '.join(files)}"
        raise Unusable(msg)
    references = [text for text in given if text not in files]
    if len(references) != 1:
        msg = "--edit changes one dead letter: name it, `jiraiya dlq replay REF --edit [FILE]`"
        raise Unusable(msg)
    return replace(choice, references=references), Path(files[0]) if files else None


def edited(
    runner: asyncio.Runner, settings: Settings, selection: Selection, file: Path | None
) -> Replay:
    """Return the replay of the one selected dead letter with a new body.

    Raises `Unusable` (the new body is no valid request) and `Failed` (it may not be edited).
    """
    letter, origin = runner.run(_editable(settings, selection))
    limit = settings.engine.max_event_bytes
    if file is not None:
        return _checked(letter, origin, _read(file), limit, str(file))
    draft = _draft(letter)
    before = draft.read_bytes()
    _let_edit(draft)
    after = draft.read_bytes()
    if after == before:
        draft.unlink()
        msg = "nothing was changed, so nothing was replayed"
        raise Failed(msg)
    replay = _checked(letter, origin, _compact(after), limit, str(draft))
    draft.unlink()
    return replay


async def _editable(settings: Settings, selection: Selection) -> tuple[DeadLetter, Origin]:
    async with open_desk(settings) as desk:
        every = look(desk.log, selection, desk.rules, handled=True)
        async with aclosing(every) as letters:
            found = [one async for one in letters]
    if len(found) != 1:
        count = len(found) or "no"
        msg = f"{count} dead letters match; --edit changes exactly one: name it partition:offset"
        raise Failed(msg)
    letter, origin = _allowed(found[0])
    await _refuse_paid(settings, letter, origin)
    return letter, origin


def _allowed(found: Found) -> tuple[DeadLetter, Origin]:
    letter, origin = found.letter, found.letter.origin
    if found.mark is not None:
        msg = f"{letter.reference} was {found.mark.action} before: nothing was done"
        raise Failed(msg)
    if found.stays is not None:
        msg = f"{letter.reference} cannot be replayed: {WORDS[found.stays]}"
        raise Failed(msg)
    if origin is None:
        msg = f"{letter.reference} does not say where it came from"
        raise Failed(msg)
    return letter, origin


async def _refuse_paid(settings: Settings, letter: DeadLetter, origin: Origin) -> None:
    """Refuse early; a store that cannot be asked here is asked by the service in any case."""
    store = open_store(settings.store.url, settings.store.ttl_s)
    try:
        paid = await store.is_paid(original_envelope(letter, origin).identity)
    except StoreUnavailable:
        return
    finally:
        await store.aclose()
    if paid:
        msg = f"{letter.reference} cannot be edited: {PAID}"
        raise Failed(msg)


def _draft(letter: DeadLetter) -> Path:
    text = _readable(letter.value or b"{}")
    handle, name = tempfile.mkstemp(prefix="dead-letter-", suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return Path(name)


def _readable(value: bytes) -> str:
    try:
        return json.dumps(json.loads(value), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return value.decode("utf-8", "replace")


def _let_edit(draft: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        draft.unlink()
        msg = "--edit: set EDITOR, or give the new body in a file: `--edit FILE`"
        raise Unusable(msg)
    try:
        code = subprocess.run([*shlex.split(editor), str(draft)], check=False).returncode  # noqa: S603 - it is the operator's own editor
    except OSError as error:
        draft.unlink()
        msg = f"EDITOR: {editor}: {error.strerror}"
        raise Unusable(msg) from None
    if code != 0:
        draft.unlink()
        msg = f"the editor ended with {code}, so nothing was replayed"
        raise Failed(msg)


def _checked(letter: DeadLetter, origin: Origin, value: bytes, limit: int, where: str) -> Replay:
    try:
        return edited_replay_of(letter, origin, value, limit)
    except RequestFailure as failure:
        msg = f"{where} is no valid request ({failure.message}); nothing was replayed"
        raise Unusable(msg) from None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        msg = f"--edit: {file}: {error.strerror}"
        raise Unusable(msg) from None


def _compact(text: bytes) -> bytes:
    """Take out the blanks that were put in for reading; what is no JSON is left to the checks."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )
