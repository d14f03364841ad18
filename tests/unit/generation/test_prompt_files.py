"""The texts that writers edit: complete, well-formed, and unchanged once released."""

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from jiraiya_events.domain.errors import ServiceError
from jiraiya_events.domain.request import LANGUAGE_TAG, Audience, Length
from jiraiya_events.generation.prompt import STORY_SCHEMA
from jiraiya_events.generation.prompt_files import (
    CURRENT,
    OTHER,
    PromptFiles,
    packaged,
    read_prompt_files,
)

PROMPTS = files("jiraiya_events.generation") / "prompts"

RELEASED = {
    "story.v2": "c55e5d58149d905a12a0bd54f9c6b1f217d58f7c3796ed90ee9cb0fe7e237570",
}
"""The sum of each version's texts, as `sum_of` makes it."""


def sum_of(texts: PromptFiles) -> str:
    """Return the SHA-256 of every word a version can send, in hexadecimal digits."""
    kinds = [texts.audience, texts.length, texts.language, texts.form]
    whole = json.dumps([texts.system, *kinds], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def packaged_versions() -> list[str]:
    """Return the versions there are."""
    return sorted(path.name for path in PROMPTS.iterdir() if path.is_dir())


@pytest.mark.parametrize("version", packaged_versions())
def test_a_released_version_never_changes(version: str) -> None:
    """Each story says which version wrote it, which is worth nothing once the texts differ."""
    found = sum_of(read_prompt_files(PROMPTS / version))
    if found != RELEASED.get(version):
        pytest.fail(
            f"The texts in prompts/{version} are not the ones its sum was taken of.\n"
            f"If {version} was released: undo the change, copy the folder to a new version, edit "
            "there, name it as CURRENT in prompt_files.py, and delete the old folder.\n"
            f"Then, or if {version} is new: put its sum into RELEASED in {Path(__file__).name}:\n"
            f'    "{version}": "{found}",',
            pytrace=False,
        )


def test_the_current_version_is_there_and_no_other_is_carried_along() -> None:
    """Old ones live on in the history."""
    assert packaged_versions() == [CURRENT] == list(RELEASED)


@pytest.mark.parametrize("length", list(Length))
def test_the_figures_in_the_texts_are_the_ones_that_are_checked(length: Length) -> None:
    """What a model is told to stay between lies well inside of what is accepted."""
    text = read_prompt_files(packaged()).length[length]
    figures = [int(figure.replace(",", "")) for figure in re.findall(r"\d[\d,]*", text)]
    aim, low, high, characters = figures
    assert (aim, characters) == (length.words, 2 * length.words)
    assert 0.4 * aim < low < aim < high < 2 * aim


def test_every_language_file_is_named_by_a_tag_and_speaks_of_one_language() -> None:
    """A file with another name would never be chosen."""
    languages = read_prompt_files(packaged()).language
    assert {"en", "de", "fr", "es", "ja", "zh", "ar", "hi", OTHER} <= languages.keys()
    assert all(re.match(LANGUAGE_TAG, tag) for tag in languages)
    assert len(set(languages.values())) == len(languages)


def test_the_form_names_the_fields_of_the_schema() -> None:
    """An endpoint that ignores the schema still hears of them."""
    text = read_prompt_files(packaged()).form["json"]
    assert all(f'"{name}": "' in text for name in STORY_SCHEMA["required"])


def written(folder: Path, **changes: str) -> Path:
    """Write a whole version into `folder`, with these texts instead of its own."""
    texts = {
        "system": "{audience} {length} {language} {form} {canary}",
        **{f"audience/{audience}": audience for audience in Audience},
        **{f"length/{length}": length for length in Length},
        "language/other": "other",
        "form/json": "json",
        "form/text": "text",
        **changes,
    }
    for name, text in texts.items():
        path = folder / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_writer_who_leaves_a_text_out_reads_which(tmp_path: Path) -> None:
    """The name of the file, not a traceback."""
    folder = written(tmp_path / "story.v9")
    assert read_prompt_files(folder).version == "story.v9"
    (folder / "audience" / "teens.txt").write_text(" \n")
    with pytest.raises(ServiceError, match=r"story\.v9/audience/teens\.txt is empty"):
        read_prompt_files(folder)
    (folder / "audience" / "teens.txt").unlink()
    with pytest.raises(ServiceError, match=r"story\.v9/audience/teens\.txt cannot be read"):
        read_prompt_files(folder)


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ("{audience} {length} {language} {form}", "each of these once.*{canary}"),
        ("{audience} {length} {language} {form} {canary} {canary}", "each of these once"),
        ("{audience} {length} {language} {form} {canary} {keywords}", "no others"),
        ("{audience} {length} {language} {form} {canary} {", "a brace that is no slot"),
    ],
)
def test_a_writer_who_breaks_a_slot_reads_what_is_needed(
    system: str, told: str, tmp_path: Path
) -> None:
    """Before any request meets it."""
    with pytest.raises(ServiceError, match=told):
        read_prompt_files(written(tmp_path / "story.v9", system=system))
