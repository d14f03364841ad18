"""`jiraiya store forget`, judged by its streams and exit code."""

import asyncio
import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import typer

from jiraiya_events.adapters.store.open_store import open_stores
from jiraiya_events.cli import store_commands
from tests.contracts.test_result_store import FIRST, failed, paid
from tests.unit.cli.command_line import Ended, jiraiya

NAME = "JIRAIYA_STORE__URL"


async def fill(url: str) -> None:
    """Store a request and an answer of ann's."""
    stores = open_stores(url, 1000.0, 1000.0)
    await stores.results.save_outcome(FIRST, "f", "ann", failed())
    await stores.answers.keep("k", "ann", paid())
    await stores.aclose()


async def is_kept(url: str) -> bool:
    """Tell whether anything of it is still there."""
    stores = open_stores(url, 1000.0, 1000.0)
    stored = await stores.results.look_up(FIRST, "f", "nobody")
    answer = await stores.answers.find("k")
    await stores.aclose()
    return stored.outcome is not None or answer is not None


def forget(url: str, *arguments: str, cwd: Path) -> Ended:
    """Ask for ann to be forgotten."""
    return jiraiya("store", "forget", "--user", "ann", *arguments, cwd=cwd, settings={NAME: url})


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_user_is_forgotten(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """It says how many requests that were, and what is not erased."""
    sqlite = f"sqlite:///{tmp_path}/r.db"
    url: str = sqlite if kind == "sqlite" else request.getfixturevalue("redis_url")
    await fill(url)
    ended = forget(url, "--yes", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "erased 1 request of 'ann'\n")
    assert "Kafka's topics are not touched" in ended.err
    assert not await is_kept(url)
    again = forget(url, "--yes", "--json", cwd=tmp_path)
    assert (again.code, again.rows) == (0, [{"user": "ann", "requests": 0}])


async def test_what_can_still_be_read_is_not_called_erased(tmp_path: Path) -> None:
    """Another program that reads the file keeps its log; afterwards the same command is enough."""
    url = f"sqlite:///{tmp_path}/r.db"
    await fill(url)
    with closing(sqlite3.connect(tmp_path / "r.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM requests").fetchone()
        ended = forget(url, "--yes", cwd=tmp_path)
    assert (ended.code, ended.out) == (1, "erased 1 request of 'ann'\n")
    assert "can still be read: run it again" in ended.err
    again = forget(url, "--yes", cwd=tmp_path)
    assert (again.code, again.out) == (0, "erased 0 requests of 'ann'\n")
    assert "run it again" not in again.err


async def test_without_anybody_to_ask_nothing_is_erased(tmp_path: Path) -> None:
    """A script says --yes; wrong usage ends with 2."""
    url = f"sqlite:///{tmp_path}/r.db"
    await fill(url)
    ended = forget(url, cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "--yes" in ended.err
    assert await is_kept(url)


class Terminal(io.StringIO):
    """A stream that somebody sits at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 130)])
def test_whoever_is_asked_decides(
    answer: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A no and no answer at all erase nothing, and end differently."""
    url = f"sqlite:///{tmp_path}/r.db"
    asyncio.run(fill(url))
    monkeypatch.setenv(NAME, url)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    with pytest.raises(typer.Exit) as ended:
        store_commands.forget(user="ann")
    assert ended.value.exit_code == code
    said = capsys.readouterr()
    assert "erase everything stored for 'ann'?" in said.err
    assert ("nothing was erased" in said.err) == (code != 0)
    assert asyncio.run(is_kept(url)) == (code != 0)


def test_the_services_own_memory_cannot_be_reached(tmp_path: Path) -> None:
    """It says what to do instead, rather than that nothing is there."""
    ended = forget("memory://", "--yes", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "restart the service" in ended.err


def test_a_file_that_is_not_there_is_not_made_and_not_believed(tmp_path: Path) -> None:
    """Whoever reads "erased" relies on it."""
    ended = forget(f"sqlite:///{tmp_path}/r.db", "--yes", cwd=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert f"there is no file {tmp_path}/r.db" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_down_is_one_line_without_its_password(tmp_path: Path) -> None:
    """The address shows, so that it can be checked."""
    ended = forget("redis://me:sesame@127.0.0.1:1/0", "--yes", cwd=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: the result store redis://127.0.0.1:1/0 cannot be used")
    assert "sesame" not in ended.err
    assert "Traceback" not in ended.err


def test_a_user_without_a_name_is_wrong_usage(tmp_path: Path) -> None:
    """An empty variable in a script erases nothing."""
    arguments = ("store", "forget", "--user", "", "--yes")
    ended = jiraiya(*arguments, cwd=tmp_path, settings={NAME: f"sqlite:///{tmp_path}/r.db"})
    assert ended.code == 2
    assert "--user" in ended.err
