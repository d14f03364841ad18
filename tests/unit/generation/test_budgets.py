"""Daily budgets and the bound on what one call can cost."""

import json
from decimal import Decimal

import pytest

from jiraiya_events.adapters.llm.prices import Prices
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.generation.budgets import (
    SERVICE,
    Budgets,
    accounts,
    day_of,
    over_budget,
    require_prices,
    too_small,
)
from jiraiya_events.generation.prompt import STORY_SCHEMA
from jiraiya_events.generation.spending import input_tokens_at_most

MIDNIGHT = 86_400 * 20_000
PRICES = Prices({"m": {"input": "1", "output": "10"}, "free": {"input": "0", "output": "0"}})


def test_a_budget_is_whole_pico_dollars() -> None:
    """Proves that nothing is rounded up, and that none set is none."""
    budgets = Budgets.of_usd(Decimal("0.0000000000019"), None)
    assert budgets == Budgets(1, None)
    assert budgets
    assert not Budgets.of_usd(None, None)


def test_a_sum_may_reach_its_budget_and_no_more() -> None:
    """Proves the edge, for each account by its own budget."""
    budgets = Budgets(user_daily_pico=5, service_daily_pico=10)
    user, service = accounts("ann")
    assert (budgets.allow(user, 5), budgets.allow(user, 6)) == (True, False)
    assert (budgets.allow(service, 10), budgets.allow(service, 11)) == (True, False)
    assert Budgets(user_daily_pico=5).allow(service, 10**18)


def test_a_replay_counts_for_the_service_alone() -> None:
    """Proves what no user means, and that the sums name nobody."""
    assert accounts(None) == (SERVICE,)
    assert len(accounts("ann")) == 2
    assert "ann" not in "".join(accounts("ann"))
    assert accounts("ann") != accounts("Ann")


@pytest.mark.parametrize(("now", "left_s"), [(MIDNIGHT, 86_400), (MIDNIGHT - 0.5, 0.5)])
def test_a_day_ends_at_midnight_utc(now: float, left_s: float) -> None:
    """Proves when to come again."""
    assert over_budget(SERVICE, now).retry_after_s == left_s
    assert day_of(now) == (20_000 if now >= MIDNIGHT else 19_999)


def test_a_full_account_is_named_by_its_scope() -> None:
    """Proves which of the two budgets is told."""
    assert [over_budget(name, 0.0).scope for name in accounts("ann")] == ["user", "service"]


@pytest.mark.parametrize(
    "text", ["", "a fox", "狐狸の話", "🦊" * 50, "\u0301" * 9, "x" * 10_000], ids=len
)
def test_a_prompt_has_no_more_tokens_than_bytes(text: str) -> None:
    """Proves that every byte may be a token, and that each message adds its marks."""
    one = input_tokens_at_most([text])
    assert one > len(text.encode())
    assert input_tokens_at_most([text, text]) - one > len(text.encode())


def test_the_margin_covers_the_schema_of_the_answer() -> None:
    """Proves that what is sent beside the messages is bounded as well, twice over."""
    assert input_tokens_at_most([]) >= 2 * len(json.dumps(STORY_SCHEMA))


def test_models_without_a_price_stop_the_start_when_there_is_a_budget() -> None:
    """Proves one line for each of them that names the model and the setting."""
    require_prices(["m", "free"], PRICES)
    with pytest.raises(SettingsError) as caught:
        require_prices(["m", "nobody-heard-of-this", "nor-of-this", "nor-of-this"], PRICES)
    first, second = caught.value.lines
    assert first.startswith("JIRAIYA_LLM__PRICES: the price of 'nobody-heard-of-this' is not known")
    assert "'nor-of-this'" in second


def test_a_budget_below_one_story_is_warned_about() -> None:
    """Proves the sums in the warning: 1,000 x 1 + 500 x 10 USD per million."""
    budgets = Budgets.of_usd(Decimal("0.005"), Decimal("0.006"))
    (line,) = too_small(budgets, ["m", "m", "free", "unknown-model"], PRICES, 1000, 500)
    assert line.startswith("JIRAIYA_LIMITS__USER_DAILY_USD: 0.005 USD is less than the 0.006 USD")
    assert not too_small(Budgets(), ["m"], PRICES, 1000, 500)
