"""`jiraiya dlq replay REF --edit [FILE]`: another body for one dead letter."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from pathlib import Path

from jiraiya_events.cli.dlq.choice import Choice
from jiraiya_events.cli.dlq.desk import open_desk
from jiraiya_events.cli.dlq.paid import refuse_paid
from jiraiya_events.cli.dlq.reading import Reading
from jiraiya_events.cli.exits import Failed, Unusable
from jiraiya_events.contract.letters import DeadLetter, Origin
from jiraiya_events.contract.replays import Replay, edited_replay_of
from jiraiya_events.domain.errors import RequestFailure
from jiraiya_events.ops.dead_letters.references import Place, read_reference
from jiraiya_events.ops.dead_letters.selection import Selection
from jiraiya_events.ops.dead_letters.staying import WORDS
from jiraiya_events.ops.dead_letters.survey import Found, Look, look
from jiraiya_events.settings import Settings


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
) -> tuple[Place, Replay]:
    """Return the place of the one selected dead letter, and its replay with a new body.

    Raises `Unusable` (the new body is no valid request) and `Failed` (it may not be edited).
    """
    letter, origin = runner.run(_editable(settings, selection))
    limit = settings.engine.max_event_bytes
    if file is None:
        value, where = write_anew(letter), "the new body"
    else:
        value, where = _read(file), str(file)
    place = Place(letter.partition, letter.offset)
    return place, _checked(letter, origin, value, limit, where)


async def _editable(settings: Settings, selection: Selection) -> tuple[DeadLetter, Origin]:
    reading = Reading(sys.stderr)
    async with open_desk(settings) as desk:
        every = look(desk.log, selection, desk.rules, Look(handled=True, reading=reading))
        async with aclosing(every) as letters:
            found = [one async for one in letters]
    reading.erase()
    if len(found) != 1:
        count = len(found) or "no"
        msg = f"{count} dead letters match; --edit changes exactly one: name it partition:offset"
        raise Failed(msg)
    letter, origin = _allowed(found[0])
    await refuse_paid(settings, letter, origin)
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


def write_anew(letter: DeadLetter) -> bytes:
    """Let the operator write another body; raises `Unusable` and `Failed`."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        msg = "--edit: set EDITOR, or give the new body in a file: `--edit FILE`"
        raise Unusable(msg)
    with _draft(letter) as draft:
        before = draft.read_bytes()
        _let_edit(draft, editor)
        after = draft.read_bytes() if draft.exists() else before
    if after == before:
        msg = "nothing was changed, so nothing was replayed"
        raise Failed(msg)
    return _compact(after)


@contextmanager
def _draft(letter: DeadLetter) -> Iterator[Path]:
    """Write the body into a file that is gone afterwards, however that comes."""
    text = _readable(letter.value or b"{}")
    handle, name = tempfile.mkstemp(prefix="dead-letter-", suffix=".json")
    draft = Path(name)
    try:
        # JSON may hold half a surrogate pair, which no UTF-8 can: escaped it is the same JSON.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text + "\n")
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _readable(value: bytes) -> str:
    try:
        return json.dumps(json.loads(value), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return value.decode("utf-8", "replace")


def _let_edit(draft: Path, editor: str) -> None:
    try:
        code = subprocess.run([*shlex.split(editor), str(draft)], check=False).returncode  # noqa: S603 - it is the operator's own editor
    except OSError as error:
        msg = f"EDITOR: {editor}: {error.strerror}"
        raise Unusable(msg) from None
    if code != 0:
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
        "utf-8", "backslashreplace"
    )
