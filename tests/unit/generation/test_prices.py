"""What tokens cost, exactly."""

import pytest

from jiraiya_events.adapters.llm.prices import Prices
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.domain.story import Cost, Usage

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
