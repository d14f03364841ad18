"""What tokens cost, exactly."""

from datetime import UTC, datetime

import genai_prices
import pytest

from jiraiya_events.adapters.llm.prices import Prices
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.domain.story import PICO_PER_USD, Cost, Usage

USAGE = Usage(input_tokens=1000, cached_input_tokens=400, output_tokens=10)


def test_the_operators_prices_are_exact() -> None:
    """Proves the arithmetic: 600 x 0.15 + 400 x 0.075 + 10 x 0.60 USD per million."""
    prices = Prices({"m": {"input": "0.15", "cached_input": "0.075", "output": "0.60"}})
    cost = prices.cost_pico_usd("m", USAGE)
    assert cost is not None
    assert Cost.from_pico_usd(cost).amount == "0.000126"


def test_cached_tokens_cost_the_full_price_unless_told_otherwise() -> None:
    """Proves the default of the one price that may be left out."""
    assert Prices({"m": {"input": "1", "output": "0"}}).cost_pico_usd("m", USAGE) == 10**9


def test_a_listed_model_needs_no_setting() -> None:
    """Proves the list, also behind an endpoint it does not know."""
    for url in (None, "https://api.openai.com/v1", "http://127.0.0.1:9/v1"):
        assert Prices(base_url=url).cost_pico_usd("gpt-4o-mini", USAGE) == 126 * 10**6


def test_a_price_with_tiers_follows_the_list() -> None:
    """Proves that a long input costs its own rate for every token."""
    prices = Prices()
    short = prices.cost_pico_usd("gemini-2.5-pro", Usage(input_tokens=200_000))
    long = prices.cost_pico_usd("gemini-2.5-pro", Usage(input_tokens=400_000))
    assert short is not None
    assert long == 4 * short


def test_an_unknown_model_has_no_price() -> None:
    """Proves null, never zero."""
    assert Prices().cost_pico_usd("nobody-heard-of-this", USAGE) is None


def test_a_price_known_in_one_direction_only_is_unknown() -> None:
    """Proves that what the list does not say is not taken for free."""
    listed = Prices()
    assert listed.cost_pico_usd("text-embedding-3-small", USAGE) is None
    assert listed.upper_bound_pico_usd("text-embedding-3-small", 1, 1) is None


def test_the_bound_takes_the_dearer_of_fresh_and_cached_tokens() -> None:
    """Proves it for the operator's prices, whichever way they lie."""
    usual = Prices({"m": {"input": "2", "cached_input": "1", "output": "10"}})
    odd = Prices({"m": {"input": "1", "cached_input": "2", "output": "10"}})
    for prices in (usual, odd):
        assert prices.upper_bound_pico_usd("m", 1000, 10) == 1000 * 2_000_000 + 10 * 10_000_000


def test_an_unknown_price_has_no_bound() -> None:
    """Proves that no budget is kept with a guess."""
    assert Prices().upper_bound_pico_usd("nobody-heard-of-this", 1, 1) is None


class ClockAt:
    """It is always the same hour of a day in November 2026, UTC."""

    def __init__(self, hour: int) -> None:
        self._now = datetime(2026, 11, 10, hour, tzinfo=UTC).timestamp()

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._now


def at(hour: int) -> Prices:
    """Return the prices of that hour at an endpoint that is cheaper at night."""
    return Prices(base_url="https://api.deepseek.com/v1", clock=ClockAt(hour))


def test_a_price_that_changes_with_the_hour_is_that_of_the_call() -> None:
    """Proves it on both sides of the change, however long the process has been running."""
    for hour in (3, 20):
        judged = genai_prices.calc_price(
            genai_prices.Usage(input_tokens=1000, cache_read_tokens=400, output_tokens=10),
            "deepseek-chat",
            provider_api_url="https://api.deepseek.com/v1",
            genai_request_timestamp=datetime(2026, 11, 10, hour, tzinfo=UTC),
        )
        cost = at(hour).cost_pico_usd("deepseek-chat", USAGE)
        assert cost == judged.total_price * PICO_PER_USD
    clock = ClockAt(3)
    prices = Prices(base_url="https://api.deepseek.com/v1", clock=clock)
    dear = prices.cost_pico_usd("deepseek-chat", USAGE)
    clock._now = ClockAt(20).now()
    cheap = prices.cost_pico_usd("deepseek-chat", USAGE)
    assert dear is not None
    assert cheap is not None
    assert cheap < dear


def test_the_bound_of_a_price_that_changes_is_its_dearest_hour() -> None:
    """Proves that a call which begins in the cheap hours may end in the others."""
    usage = Usage(input_tokens=1000, output_tokens=1000)
    dear = at(3).cost_pico_usd("deepseek-chat", usage)
    for hour in (3, 20):
        assert at(hour).upper_bound_pico_usd("deepseek-chat", 1000, 1000) == dear


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gemini-2.5-pro", "claude-sonnet-4-5", "gpt-5.4"])
def test_no_call_costs_more_than_its_bound(model: str) -> None:
    """Proves it on both sides of every tier, flat prices and none alike."""
    prices = Prices()
    bound = prices.upper_bound_pico_usd(model, 1_000_000, 5000)
    assert bound is not None
    for tokens in (1, 200_000, 200_001, 272_001, 1_000_000):
        for cached in (0, tokens // 2, tokens):
            for written in {0, tokens - cached}:
                usage = Usage(
                    input_tokens=tokens,
                    cached_input_tokens=cached,
                    cache_write_tokens=written,
                    output_tokens=5000,
                )
                cost = prices.cost_pico_usd(model, usage)
                assert cost is not None
                assert cost <= bound


def test_the_bound_of_a_price_with_tiers_is_its_dearest_tier() -> None:
    """Proves that a short prompt is bounded by the rate of a long one."""
    prices = Prices()
    long = prices.cost_pico_usd("gemini-2.5-pro", Usage(input_tokens=400_000))
    assert long is not None
    assert prices.upper_bound_pico_usd("gemini-2.5-pro", 100_000, 0) == long // 4


@pytest.mark.parametrize(
    "prices",
    [
        {"input": "cheap", "output": "1"},
        {"input": "-1", "output": "1"},
        {"input": "NaN", "output": "1"},
        {"input": "0.0000001", "output": "1"},
        {"input": "1"},
        {"input": "1", "output": "1", "ouput": "1"},
    ],
)
def test_a_wrong_price_is_a_readable_settings_error(prices: dict[str, str]) -> None:
    """Proves that the message names the setting and the model."""
    with pytest.raises(SettingsError, match=r"JIRAIYA_LLM__PRICES.*'m'"):
        Prices({"m": prices})
