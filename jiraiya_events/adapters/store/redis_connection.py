"""The one connection to Redis: scripts in, answers or `StoreUnavailable` out.

Whatever must be atomic is a Lua script, which the server runs while nobody else gets a turn.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from jiraiya_events.adapters.store.silence import Silence
from jiraiya_events.domain.errors import StoreUnavailable

_SOCKETS: Final = 32
_CONNECT_TIMEOUT_S: Final = 2.0
_IN_ALL_S: Final = 3.0
_LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Script:
    """Lua text; the server is asked for it by its SHA-1, and sent it when it does not know it."""

    text: str = field(repr=False)
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the text as Redis does."""
        sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", sha)


@dataclass(frozen=True, slots=True)
class Call:
    """One script with its keys, all of one hash slot, and its arguments."""

    script: Script
    keys: Sequence[str]
    args: Sequence[str | int | float] = field(default=(), repr=False)


class RedisConnection:
    """Used from one event loop; connects at first use, and again after every outage.

    `url` is `redis://` or `rediss://` (TLS) with user, password and database in it. Nothing is
    tried twice, but for a socket that the server closed while it was idle: whether a command that
    timed out was carried out, nobody knows.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        """The address as it may be shown: without user, password and options."""
        self._secret = parts.password or ""
        self._closed = False
        self.pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_SOCKETS,
            timeout=_IN_ALL_S,
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            # The bound is `guarded`'s. The client's own goes through `asyncio.wait_for`, which in
            # Python 3.11 can swallow the cancellation of whoever waits.
            socket_timeout=None,
            retry=Retry(NoBackoff(), 0),
            # What every server and proxy speaks.
            protocol=2,
            decode_responses=True,
            client_name="jiraiya",
        )
        """The sockets, for a library that sends its commands itself; use it inside `guarded`."""
        self._client: Redis = Redis(connection_pool=self.pool)
        # The pool is not fair: who gives a socket back and wants one again is before who waits.
        self._turns = asyncio.Semaphore(_SOCKETS)
        self._silence = Silence()

    async def run(self, *calls: Call) -> list[Any]:
        """Run scripts one after the other in one round trip and return what each returned.

        Together they are not atomic. Raises `StoreUnavailable`: then some or none have run.
        """
        async with self.guarded():
            results = await self._send([_by_sha(call) for call in calls])
            for place, call in enumerate(calls):
                if isinstance(results[place], NoScriptError):
                    # The server is new or was started again; this teaches it the script.
                    (results[place],) = await self._send([_by_text(call)])
            for result in results:
                if isinstance(result, Exception):
                    raise result
        return results

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[None]:
        """Bound what happens inside in time; whatever Redis does wrong is `StoreUnavailable`.

        While the server hangs that is raised at once, but for one in a few seconds.
        """
        if self._closed:
            message = f"the result store {self.place} is closed"
            raise StoreUnavailable(message)
        clock = asyncio.get_running_loop().time
        began = clock()
        if not self._silence.admits(began):
            raise StoreUnavailable(self._reason(TimeoutError()))
        try:
            async with asyncio.timeout(_IN_ALL_S), self._turns:
                yield
        except (RedisError, OSError) as error:
            if isinstance(error, TimeoutError | RedisTimeoutError):
                self._silence.timed_out(began, clock())
            else:
                self._silence.answered(clock())
            if isinstance(error, ReadOnlyError):
                await self._leave()
            # Without the cause: a traceback would show it as it is.
            raise StoreUnavailable(self._reason(error)) from None
        self._silence.answered(clock())

    async def aclose(self) -> None:
        """Close every socket."""
        self._closed = True
        await self._client.aclose()
        await self.pool.aclose()

    async def _leave(self) -> None:
        """Close the sockets that nobody uses: a new one goes to where the name leads by now.

        After a failover the old primary keeps its sockets open, and is a replica.
        """
        # The pool's own `disconnect` waits in between, and would close what somebody has taken
        # meanwhile. Nothing waits here.
        for socket in list(self.pool._available_connections):  # noqa: SLF001 - see above
            await socket.disconnect(nowait=True)

    async def _send(self, commands: Sequence[Sequence[str | int | float]]) -> list[Any]:
        if len(commands) == 1:
            return [await self._send_one(commands[0])]
        async with self._client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            results: list[Any] = await pipeline.execute(raise_on_error=False)
        return results

    async def _send_one(self, command: Sequence[str | int | float]) -> Any:  # noqa: ANN401 - a reply has the command's type
        try:
            return await self._client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis leaves it untyped
        except NoScriptError as error:
            return error

    def _reason(self, error: Exception) -> str:
        words = " ".join(str(error).split()) or "it did not answer in time"
        for secret in filter(None, {self._secret, unquote(self._secret)}):
            # Old servers repeat the arguments of commands they do not know.
            words = words.replace(secret, "***")
        return (
            f"the result store {self.place} cannot be used "
            f"({type(error).__name__}: {words[:_LONGEST_REASON]}): {_mend(error)}"
        )


def _mend(error: Exception) -> str:
    if isinstance(error, OutOfMemoryError):
        return "it is full; give it more memory (maxmemory), and keep maxmemory-policy noeviction"
    if isinstance(error, ReadOnlyError):
        return "it is a replica; set JIRAIYA_STORE__URL to the primary"
    return "check that it runs, and that JIRAIYA_STORE__URL has its address and password"


def _by_sha(call: Call) -> list[str | int | float]:
    return ["EVALSHA", call.script.sha, len(call.keys), *call.keys, *call.args]


def _by_text(call: Call) -> list[str | int | float]:
    return ["EVAL", call.script.text, len(call.keys), *call.keys, *call.args]
