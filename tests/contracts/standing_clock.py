"""Time that only a test moves, also for what ends by Redis's own clock."""

from collections.abc import Callable

from tests.redis_server import RedisServer

_BRING_NEARER = """
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left < 0 then return redis.error_reply('this key never ends: ' .. key) end
  if left <= tonumber(ARGV[1]) then redis.call('DEL', key)
  else redis.call('PEXPIRE', key, left - ARGV[1]) end
end
return 'OK'
"""


class StandingClock:
    """Seconds since the Unix epoch; `when_it_passes` hears how many went by."""

    def __init__(self) -> None:
        """Stand at some time."""
        self._time = 1_000_000.0
        self.when_it_passes: Callable[[float], None] = lambda _: None

    @property
    def time(self) -> float:
        """The time it was set to."""
        return self._time

    @time.setter
    def time(self, time: float) -> None:
        passed, self._time = time - self._time, time
        self.when_it_passes(passed)

    def now(self) -> float:
        """Return the time it was set to."""
        return self._time


def let_pass(server: RedisServer, seconds: float) -> None:
    """Bring the end of every key nearer, as so much time would; fail when one has no end."""
    answer = server.command("EVAL", _BRING_NEARER, "0", str(round(seconds * 1000)))
    assert answer == b"$2\r\nOK\r\n", answer
