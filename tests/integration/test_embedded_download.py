"""Jars over real HTTP: what is accepted, what is refused, and what is said."""

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaError, EmbeddedKafkaOptions
from jiraiya_events.adapters.embedded.jars import ensure_jars
from jiraiya_events.adapters.embedded.lock import Jar
from tests.blackbox.service import refused_port


def locked(name: str, content: bytes) -> Jar:
    """Lock ``content`` as the jar ``name``."""
    return Jar("org.example", name, "1.0", hashlib.sha256(content).hexdigest(), len(content))


JARS = [locked("one", b"1" * 100_000), locked("two", b"2" * 70_000)]
CONTENTS = {
    JARS[0].repository_path: b"1" * 100_000,
    JARS[1].repository_path: b"2" * 70_000,
}


class Repository:
    """A Maven repository on 127.0.0.1 that can misbehave."""

    def __init__(self) -> None:
        self.contents = dict(CONTENTS)
        self.failures = 0
        self.cut_short = False
        self.requests = 0
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.requests += 1
        if self.failures:
            self.failures -= 1
            raise web.HTTPServiceUnavailable
        content = self.contents.get(request.match_info["path"])
        if content is None:
            raise web.HTTPNotFound
        if not self.cut_short:
            return web.Response(body=content)
        response = web.StreamResponse(headers={"Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: len(content) // 2])
        assert request.transport is not None
        request.transport.close()
        return response


@pytest_asyncio.fixture
async def repository() -> AsyncIterator[Repository]:
    """Run a repository that has both jars."""
    served = Repository()
    app = web.Application()
    app.router.add_get("/maven2/{path:.+}", served.serve)
    async with TestServer(app, host="127.0.0.1") as server:
        served.url = str(server.make_url("/maven2"))
        yield served


def left_in(folder: Path) -> set[str]:
    """Name what a download left, the lock file aside."""
    return {path.name for path in folder.iterdir()} - {".lock"}


async def test_missing_jars_are_fetched_and_come_in_the_locks_order(
    repository: Repository, tmp_path: Path
) -> None:
    seen: list[tuple[str, int, int]] = []
    paths = await ensure_jars(
        JARS, tmp_path, repository=repository.url, on_progress=lambda *step: seen.append(step)
    )
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())
    assert seen[0][1:] == (0, 170_000)
    assert seen[-1][1:] == (170_000, 170_000)


async def test_cached_jars_are_not_asked_for_again(repository: Repository, tmp_path: Path) -> None:
    for _ in range(2):
        await ensure_jars(JARS, tmp_path, repository=repository.url)
    assert repository.requests == 2


async def test_a_jar_that_lost_its_end_is_fetched_again(
    repository: Repository, tmp_path: Path
) -> None:
    (first, _) = await ensure_jars(JARS, tmp_path, repository=repository.url)
    first.write_bytes(b"1")
    await ensure_jars(JARS, tmp_path, repository=repository.url)
    assert first.read_bytes() == CONTENTS[JARS[0].repository_path]


async def test_parallel_callers_download_once(repository: Repository, tmp_path: Path) -> None:
    await asyncio.gather(
        *(ensure_jars(JARS, tmp_path, repository=repository.url) for _ in range(4))
    )
    assert repository.requests == 2


async def test_other_bytes_under_a_jars_name_are_refused_and_thrown_away(
    repository: Repository, tmp_path: Path
) -> None:
    forged = b"3" * 100_000
    repository.contents[JARS[0].repository_path] = forged
    with pytest.raises(EmbeddedKafkaError) as caught:
        await ensure_jars(JARS, tmp_path, repository=repository.url)
    message = str(caught.value)
    assert "one-1.0.jar" in message
    assert f"expected {JARS[0].sha256}" in message
    assert f"got {hashlib.sha256(forged).hexdigest()}" in message
    assert left_in(tmp_path) <= {"two-1.0.jar"}


async def test_a_download_cut_short_leaves_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.cut_short = True
    with pytest.raises(EmbeddedKafkaError, match="could not be downloaded"):
        await ensure_jars(JARS, tmp_path, repository=repository.url)
    assert left_in(tmp_path) == set()


async def test_a_passing_fault_is_tried_again(repository: Repository, tmp_path: Path) -> None:
    repository.failures = 1
    await ensure_jars(JARS, tmp_path, repository=repository.url)
    assert left_in(tmp_path) == {"one-1.0.jar", "two-1.0.jar"}


async def test_a_repository_without_the_jar_is_named(
    repository: Repository, tmp_path: Path
) -> None:
    repository.contents.clear()
    with pytest.raises(EmbeddedKafkaError, match=r"HTTP 404.*REPOSITORY_URL") as caught:
        await ensure_jars(JARS, tmp_path, repository=repository.url)
    assert repository.url in str(caught.value)


async def test_no_network_and_no_cache_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with refused_port() as port:
        nobody = f"http://127.0.0.1:{port}"
        kafka = EmbeddedKafka(EmbeddedKafkaOptions(cache_dir=tmp_path, repository_url=nobody))
        with pytest.raises(EmbeddedKafkaError) as caught:
            await kafka.start()
    message = str(caught.value)
    assert "not cached yet" in message
    assert nobody in message
    assert "JIRAIYA_BROKER__REPOSITORY_URL" in message
    assert "\n" not in message
    assert left_in(tmp_path / "jars") == set()


async def test_without_the_demo_extra_the_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jgo.constants", None)
    with pytest.raises(EmbeddedKafkaError, match=r"pip install 'jiraiya-events\[demo\]'"):
        await ensure_jars(JARS, tmp_path)


async def test_a_cache_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kafka = EmbeddedKafka(EmbeddedKafkaOptions(cache_dir=tmp_path / "file" / "cache"))
    with pytest.raises(EmbeddedKafkaError, match=r"cannot be written.*XDG_CACHE_HOME"):
        await kafka.start()
