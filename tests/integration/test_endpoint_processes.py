"""Both model endpoints as processes of their own, as demos, containers and benches run them."""

import asyncio
import signal
import sys

import aiohttp
import pytest


@pytest.mark.parametrize(
    "module",
    ["jiraiya_events.adapters.standin", "jiraiya_events.testing.faulty_endpoint"],
)
async def test_it_says_where_it_is_answers_and_ends_on_sigterm(module: str) -> None:
    """The first line has the base URL; SIGTERM ends it with exit code 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "--port", "0", stderr=asyncio.subprocess.PIPE
    )
    if process.stderr is None:
        pytest.fail("no pipe")
    try:
        line = (await process.stderr.readline()).decode()
        url = line.split()[-1]
        async with aiohttp.ClientSession() as http, http.get(f"{url}/models") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_ctrl_c_does_not_wait_for_answers_under_way() -> None:
    """A slow story is not waited for when the person at the keyboard has had enough."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "jiraiya_events.adapters.standin", "--port", "0", "--latency", "60"),
        stderr=asyncio.subprocess.PIPE,
    )
    if process.stderr is None:
        pytest.fail("no pipe")
    try:
        url = (await process.stderr.readline()).decode().split()[-1]
        body = {"messages": [{"role": "user", "content": "a fox"}], "stream": True}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{url}/chat/completions", json=body) as answer,
        ):
            assert answer.status == 200
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(10):
                assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
