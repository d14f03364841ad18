"""What a provider's rate-limit headers say about the next call.

`x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as OpenAI documents them, and others send
them as well: how many a window allows, how many are left of it, and how long until all of them
are back (`1s`, `6m0s`, `120ms`). Whatever cannot be read is ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

_PREFIX: Final = "x-ratelimit"
_DURATION: Final = re.compile(
    r"(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?",
    re.ASCII,
)
_COUNT: Final = re.compile(r"\d{1,12}", re.ASCII)
_UNITS_S: Final = (3600.0, 60.0, 1.0, 0.001)
_LONGEST_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a window; `of` is all of it, None when the provider does not say."""

    left: int
    of: int | None
    reset_s: float

    def wait_s(self, needed: float) -> float:
        """Return the seconds until `needed` are left, as if they came back evenly."""
        if self.left >= needed:
            return 0.0
        used = 0 if self.of is None else self.of - self.left
        if used <= 0:
            return self.reset_s
        return min(1.0, (needed - self.left) / used) * self.reset_s


def asked_to_wait_s(headers: Mapping[str, str], in_flight: int, tokens: int) -> float:
    """Return for how many seconds no call should start, told by an answer of `tokens` tokens.

    Any of the calls in flight may have begun after the provider counted, so as many must be left.
    Unless what is used up is no more than what is in flight: then calls that have ended count no
    more, so it is calls side by side that are limited, and it is not time that frees them.
    """
    wait_s = 0.0
    requests = _allowance(headers, "requests")
    if requests is not None and (requests.of is None or requests.of - requests.left > in_flight):
        wait_s = requests.wait_s(in_flight + 1)
    budget = _allowance(headers, "tokens")
    return wait_s if budget is None else max(wait_s, budget.wait_s(tokens))


def _allowance(headers: Mapping[str, str], kind: Literal["requests", "tokens"]) -> Allowance | None:
    left = _count(headers.get(f"{_PREFIX}-remaining-{kind}"))
    reset_s = duration_s(headers.get(f"{_PREFIX}-reset-{kind}"))
    if left is None or reset_s is None:
        return None
    return Allowance(left, _count(headers.get(f"{_PREFIX}-limit-{kind}")), reset_s)


def duration_s(text: str | None) -> float | None:
    """Return the seconds of `6m0s`, `120ms`, `1h2m3.5s` or a bare number; None for all else."""
    text = (text or "").strip()
    match = _DURATION.fullmatch(f"{text}s" if text[-1:].isdigit() else text)
    if not text or match is None:
        return None
    parts = zip(match.groups(), _UNITS_S, strict=True)
    seconds = sum(float(number) * unit for number, unit in parts if number is not None)
    return seconds if seconds <= _LONGEST_S else None


def _count(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if _COUNT.fullmatch(text) else None
