"""The sums in Redis, shared by all replicas: one hash a day, changed by one script at a time.

A hash holds the sum of each account and what is reserved under each key. A single key cannot be
lost by halves, and it can be anywhere in a cluster.
"""

from collections.abc import Sequence
from typing import Final

from jiraiya_events.adapters.store.redis_connection import Call, RedisConnection, Script
from jiraiya_events.generation.budgets import DAY_S, Budgets, accounts, day_of, over_budget
from jiraiya_events.generation.spending import OverBudget, Reservation

_KEPT_S: Final = 2 * DAY_S

# Lua's numbers are exact up to 2^53 only: so Redis does the sums, which it keeps in 64 bits, and
# two of them are compared as text; of whole numbers that are not negative the longer is greater.
_MOVE: Final = """
local day, kept_s, key, amount = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local function move(account, plus, minus)
  redis.call('HINCRBY', day, account, plus)
  if minus ~= '0' then redis.call('HINCRBY', day, account, '-' .. minus) end
end
"""

# What follows in ARGV: each account with its budget, or nothing for a budget.
_RESERVE: Final = Script(
    _MOVE
    + """
for i = 4, #ARGV, 2 do move(ARGV[i], amount, '0') end
redis.call('EXPIRE', day, kept_s)
for i = 4, #ARGV, 2 do
  local sum, budget = redis.call('HGET', day, ARGV[i]), ARGV[i + 1]
  if budget ~= '' and (#sum > #budget or (#sum == #budget and sum > budget)) then
    for j = 4, #ARGV, 2 do move(ARGV[j], '0', amount) end
    return ARGV[i]
  end
end
redis.call('HSET', day, key, amount)
return false
"""
)

# What follows in ARGV: each account.
_SETTLE: Final = Script(
    _MOVE
    + """
local reserved = redis.call('HGET', day, key)
if not reserved then return end
for i = 4, #ARGV do move(ARGV[i], amount, reserved) end
redis.call('HDEL', day, key)
redis.call('EXPIRE', day, kept_s)
"""
)


class RedisSpending:
    """Scripts for the connection, which is the result store's and closed by it."""

    def __init__(self, connection: RedisConnection, budgets: Budgets) -> None:
        self._connection = connection
        self._budgets = budgets

    async def reserve(self, wanted: Reservation, now: float) -> OverBudget | None:
        """Add the reservation to the sums of its day, unless that passes a budget."""
        limited: list[str | int] = []
        for account in accounts(wanted.user_id):
            budget = self._budgets.of(account)
            limited += (account, "" if budget is None else budget)
        full = await self._run(_RESERVE, wanted, wanted.pico_usd, limited)
        return None if full is None else over_budget(full, now)

    async def settle(self, wanted: Reservation, pico_usd: int) -> None:
        """Put what the call did cost in the place of the reservation."""
        await self._run(_SETTLE, wanted, pico_usd, accounts(wanted.user_id))

    async def _run(
        self, script: Script, wanted: Reservation, pico_usd: int, rest: Sequence[str | int]
    ) -> str | None:
        day = f"jiraiya:spending:{day_of(wanted.now)}"
        args = (_KEPT_S, f"reserved:{wanted.key}", pico_usd, *rest)
        (result,) = await self._connection.run(Call(script, (day,), args))
        return None if result is None else str(result)
