"""The sums of one process, gone with it: for tests and `memory://`."""

from collections import Counter
from dataclasses import dataclass, field

from jiraiya_events.generation.budgets import Budgets, accounts, day_of, over_budget
from jiraiya_events.generation.spending import OverBudget, Reservation

_DAYS_KEPT = 2


@dataclass(slots=True)
class _Day:
    sums: Counter[str] = field(default_factory=Counter)
    reserved: dict[str, int] = field(default_factory=dict)


class MemorySpending:
    """Nothing awaits between reading and writing, so each method is atomic."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self._days: dict[int, _Day] = {}

    async def reserve(self, wanted: Reservation, now: float) -> OverBudget | None:
        """Add the reservation to the sums of its day, unless that passes a budget."""
        day = self._day(wanted)
        names = accounts(wanted.user_id)
        for account in names:
            if not self._budgets.allow(account, day.sums[account] + wanted.pico_usd):
                return over_budget(account, now)
        day.reserved[wanted.key] = wanted.pico_usd
        day.sums.update(dict.fromkeys(names, wanted.pico_usd))
        return None

    async def settle(self, wanted: Reservation, pico_usd: int) -> None:
        """Put what the call did cost in the place of the reservation."""
        day = self._day(wanted)
        reserved = day.reserved.pop(wanted.key, None)
        if reserved is not None:
            day.sums.update(dict.fromkeys(accounts(wanted.user_id), pico_usd - reserved))

    def _day(self, wanted: Reservation) -> _Day:
        number = day_of(wanted.now)
        if number not in self._days:
            # The day before stays for calls that end after midnight.
            kept = {day: sums for day, sums in self._days.items() if day > number - _DAYS_KEPT}
            self._days = {**kept, number: _Day()}
        return self._days[number]
