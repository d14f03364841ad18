"""A price only genai-prices can calculate, and a bound on what it gives.

Such as one with tiers, one that changes with the hour, or one with a date.
"""

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import genai_prices
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.story import PICO_PER_USD, Usage

_INPUT: Final = ("input_mtok", "cache_read_mtok", "cache_write_mtok")
_OUTPUT: Final = "output_mtok"
_PER_CALL: Final = "requests_kcount"


def prices_of(model: ModelInfo) -> list[ModelPrice]:
    """Return every price of a model: one, or one for each of its hours or dates."""
    if isinstance(model.prices, ModelPrice):
        return [model.prices]
    return [one.prices for one in model.prices]


def is_complete(price: ModelPrice) -> bool:
    """Tell whether tokens have a price in both directions.

    The list also has models whose price is missing, or known for one direction only: the library
    would count the rest as free.
    """
    stated = vars(price)
    return stated.get(_INPUT[0]) is not None and stated.get(_OUTPUT) is not None


class ListedPrice:
    """Keeps the library's own calculation for what a call did cost at its time."""

    def __init__(self, model: ModelInfo, clock: Clock) -> None:
        self._model = model
        self._clock = clock
        prices = prices_of(model)
        # A tier holds for every token of a call, and a longer input may be in a cheaper one.
        self._input = max(_dearest(price, key) for price in prices for key in _INPUT)
        self._output = max(_dearest(price, _OUTPUT) for price in prices)
        self._call = max(_dearest(price, _PER_CALL) for price in prices)

    def cost(self, usage: Usage) -> int | None:
        """Return the cost of `usage` in pico-dollars, None when the library cannot tell."""
        counted = genai_prices.Usage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cached_input_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
        )
        price_now = self._model.get_prices(datetime.fromtimestamp(self._clock.now(), UTC))
        try:
            price = price_now.calc_price(counted)["total_price"]
        except ValueError:
            return None
        return round(price * PICO_PER_USD)

    def at_most(self, input_tokens: int, output_tokens: int) -> int:
        """Return what so many tokens cost at most: each at the dearest rate there is."""
        tokens = (input_tokens * self._input + output_tokens * self._output) / 1_000_000
        return math.ceil((tokens + self._call / 1_000) * PICO_PER_USD)


def _dearest(price: ModelPrice, key: str) -> Decimal:
    rate = vars(price).get(key)
    if isinstance(rate, TieredPrices):
        return max(rate.base, *(tier.price for tier in rate.tiers))
    return rate or Decimal(0)
