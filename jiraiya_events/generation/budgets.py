"""Daily budgets: plain rules, whoever keeps the sums. A day is a UTC day, money is pico-dollars."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Final, Self

from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.domain.story import PICO_PER_USD, Cost
from jiraiya_events.generation.ports import PriceList
from jiraiya_events.generation.spending import OverBudget, Scope

DAY_S: Final = 86_400
SERVICE: Final = "service"


@dataclass(frozen=True, slots=True)
class Budgets:
    """What one user, and all together, may cost a day; None: as much as they like."""

    user_daily_pico: int | None = None
    service_daily_pico: int | None = None

    @classmethod
    def of_usd(cls, user_daily: Decimal | None, service_daily: Decimal | None) -> Self:
        """Return the budgets of the settings; less than a pico-dollar is cut off."""
        return cls(_pico(user_daily), _pico(service_daily))

    def __bool__(self) -> bool:
        """Tell whether there is a budget at all."""
        return self.user_daily_pico is not None or self.service_daily_pico is not None

    def of(self, account: str) -> int | None:
        """Return the budget of an account, see `accounts`."""
        return self.service_daily_pico if account == SERVICE else self.user_daily_pico

    def allow(self, account: str, sum_pico: int) -> bool:
        """Tell whether the sum of an account's day may become `sum_pico`."""
        budget = self.of(account)
        return budget is None or sum_pico <= budget


def accounts(user_id: str | None) -> tuple[str, ...]:
    """Return the names of the sums a call counts in, the user's before the service's.

    A user's is a hash: sums outlive what is erased for a user, by two days at most.
    """
    if user_id is None:
        return (SERVICE,)
    return (f"user:{sha256(user_id.encode()).hexdigest()}", SERVICE)


def day_of(now: float) -> int:
    """Return the UTC day, counted from the Unix epoch, of which `now` is a second."""
    return int(now // DAY_S)


def over_budget(account: str, now: float) -> OverBudget:
    """Say that an account has no room left today."""
    scope: Scope = "service" if account == SERVICE else "user"
    return OverBudget(scope, DAY_S - now % DAY_S)


def require_prices(models: Iterable[str], prices: PriceList) -> None:
    """Raise `SettingsError` for models without a known price: no budget can be kept with them."""
    lines = [
        f"JIRAIYA_LLM__PRICES: the price of {model!r} is not known, so a daily budget cannot be "
        f'kept: add {{"{model}": {{"input": "…", "output": "…"}}}} in USD per million tokens, or '
        "remove JIRAIYA_LIMITS__USER_DAILY_USD and JIRAIYA_LIMITS__GLOBAL_DAILY_USD"
        for model in dict.fromkeys(models)
        if prices.upper_bound_pico_usd(model, 1, 1) is None
    ]
    if lines:
        raise SettingsError(tuple(lines))


def too_small(
    budgets: Budgets,
    models: Iterable[str],
    prices: PriceList,
    input_tokens: int,
    output_tokens: int,
) -> list[str]:
    """Return a warning for each budget that never allows one call with this many tokens."""
    names = {
        "JIRAIYA_LIMITS__USER_DAILY_USD": budgets.user_daily_pico,
        "JIRAIYA_LIMITS__GLOBAL_DAILY_USD": budgets.service_daily_pico,
    }
    return [
        f"{name}: {_usd(budget)} USD is less than the {_usd(most)} USD that one call of {model!r} "
        "for a long story may cost: such requests will end with budget_exceeded"
        for model in dict.fromkeys(models)
        if (most := prices.upper_bound_pico_usd(model, input_tokens, output_tokens)) is not None
        for name, budget in names.items()
        if budget is not None and budget < most
    ]


def _pico(usd: Decimal | None) -> int | None:
    return None if usd is None else int(usd * PICO_PER_USD)


def _usd(pico: int) -> str:
    return Cost.from_pico_usd(pico).amount
