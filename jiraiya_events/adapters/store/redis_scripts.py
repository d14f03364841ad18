"""What must happen at once in Redis, in Lua.

`KEYS[1]` is the hash of one (source, id): `fingerprint`, `user`, `answer` and one field for each
attempt's outcome. `KEYS[2]` is its lease: the owner, with the lease's end as its expiry. Both are
in one hash slot. Ends are Redis's own: no clock of ours decides about them. Times to live are in
milliseconds.
"""

from typing import Final

from jiraiya_events.adapters.store.redis_connection import Script

_CLAIM = """
local function claim(key, fingerprint, user, ttl)
  local first = redis.call('HGET', key, 'fingerprint')
  if first then return first == fingerprint, 1 end
  redis.call('HSET', key, 'fingerprint', fingerprint, 'user', user)
  redis.call('PEXPIRE', key, ttl)
  return true, 0
end
"""

_RELEASE = """
local function release(key, owner)
  if redis.call('GET', key) == owner then redis.call('DEL', key) end
end
"""

LOOK_UP: Final = Script(
    _CLAIM
    + """
local fingerprint, user, ttl, outcome, owner, lease_ms = unpack(ARGV)
local mine, known = claim(KEYS[1], fingerprint, user, ttl)
if not mine then return {'conflict'} end
local kept = redis.call('HMGET', KEYS[1], outcome, 'answer')
if not kept[1] and owner ~= '' then
  local other = redis.call('GET', KEYS[2])
  if other and other ~= owner then return {'busy'} end
  redis.call('SET', KEYS[2], owner, 'PX', lease_ms)
end
return {'ours', kept[1], kept[2], known}
"""
)
"""Returns `{'conflict'}`, `{'busy'}` or `{'ours', outcome, answer, known}`."""

REPLACE_BODY: Final = Script(
    _CLAIM
    + """
local fingerprint, user, ttl, outcome = unpack(ARGV)
local first = redis.call('HGET', KEYS[1], 'fingerprint')
if not first or first == fingerprint then return end
if redis.call('HEXISTS', KEYS[1], 'answer') == 1 then return end
if redis.call('HEXISTS', KEYS[1], outcome) == 1 then return end
redis.call('DEL', KEYS[1])
claim(KEYS[1], fingerprint, user, ttl)
"""
)

IS_PAID: Final = Script("return redis.call('HEXISTS', KEYS[1], 'answer')")

SAVE_ANSWER: Final = Script(
    _CLAIM
    + """
local fingerprint, user, ttl, answer = unpack(ARGV)
if claim(KEYS[1], fingerprint, user, ttl) then
  redis.call('HSET', KEYS[1], 'answer', answer)
  redis.call('PEXPIRE', KEYS[1], ttl)
end
"""
)

SAVE_OUTCOME: Final = Script(
    _CLAIM
    + _RELEASE
    + """
local fingerprint, user, ttl, outcome, owner, body = unpack(ARGV)
release(KEYS[2], owner)
if not claim(KEYS[1], fingerprint, user, ttl) then return false end
redis.call('HSETNX', KEYS[1], outcome, body)
redis.call('PEXPIRE', KEYS[1], ttl)
return redis.call('HGET', KEYS[1], outcome)
"""
)
"""Returns the outcome that counts; nothing when another body came first."""

RENEW: Final = Script(
    "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end"
)

RELEASE: Final = Script(_RELEASE + "release(KEYS[1], ARGV[1])")

PING: Final = Script("redis.call('SET', KEYS[1], '', 'PX', ARGV[1])")

KEEP: Final = Script(
    """
local user, ttl, answer = unpack(ARGV)
redis.call('HSET', KEYS[1], 'user', user, 'answer', answer)
redis.call('PEXPIRE', KEYS[1], ttl)
"""
)
"""An answer of the response cache; `KEYS[1]` is the hash of its key."""

FIND: Final = Script("return redis.call('HGET', KEYS[1], 'answer')")

FORGET: Final = Script(
    """
if redis.call('HGET', KEYS[1], 'user') ~= ARGV[1] then return 0 end
redis.call('DEL', unpack(KEYS))
return 1
"""
)
"""Erases what is kept under these keys if it is this user's; tells whether it was."""

NOTE: Final = Script(
    """
local time = redis.call('TIME')
local now, ttl = time[1] * 1000 + time[2] / 1000, tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ttl, ARGV[1])
if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], ttl) end
"""
)
"""Adds one entry to a user's index and drops those that have ended.

The score is the entry's end in milliseconds with the microseconds behind the point, so that one
noted twice does not have the same score twice.
"""

NOTED: Final = Script("return redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')")
"""Returns `{entry, score, entry, score, …}`."""

DROP: Final = Script(
    """
for i = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
"""
)
"""Drops entries from a user's index, but for those noted again: `ARGV` is as `NOTED` returns it."""
