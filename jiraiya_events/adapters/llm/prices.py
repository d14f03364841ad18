"""What tokens cost: the operator's own prices first, else the list of genai-prices."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import genai_prices
from genai_prices.types import ModelPrice

from jiraiya_events.adapters.llm.listed_price import ListedPrice, is_complete, prices_of
from jiraiya_events.domain.clock import Clock, SystemClock
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.pricing import Rates

PriceOverrides = Mapping[str, Mapping[str, str]]

_KINDS: Final = ("input", "cached_input", "output")
# USD per million tokens to pico-dollars per token.
_PICO_PER_TOKEN: Final = 1_000_000
_FLAT_KEYS: Final = ("input_mtok", "cache_read_mtok", "output_mtok", "cache_write_mtok")
"""In the order of `Rates`."""


class Prices:
    """Looks a model up once; a call then costs three multiplications.

    An endpoint genai-prices does not know (a gateway, mostly) is charged by the model's name.
    Models with tiers, odd units, or prices that change with the time keep the library's own
    calculation.
    """

    def __init__(
        self,
        overrides: PriceOverrides | None = None,
        base_url: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._base_url = base_url
        self._clock = clock or SystemClock()
        self._own = {model: _rates_of(model, prices) for model, prices in (overrides or {}).items()}
        self._known: dict[str, Rates | ListedPrice | None] = dict(self._own)

    def resolve(self, name: str, model: str | None = None, base_url: str | None = None) -> None:
        """Look the price of the candidate `name` up now, so that no call has to.

        `model` is what its endpoint at `base_url` calls it, where that is not `name`.
        """
        if name not in self._known:
            model = model or name
            own = self._own.get(model)
            self._known[name] = own or self._listed(model, base_url or self._base_url)

    def cost_pico_usd(self, model: str, usage: Usage) -> int | None:
        """Return the cost of one call in pico-dollars, None when the price is unknown."""
        self.resolve(model)
        price = self._known[model]
        return None if price is None else price.cost(usage)

    def upper_bound_pico_usd(
        self, model: str, input_tokens_at_most: int, output_tokens_at_most: int
    ) -> int | None:
        """Return what such a call costs at most in pico-dollars, None when the price is unknown."""
        self.resolve(model)
        price = self._known[model]
        return None if price is None else price.at_most(input_tokens_at_most, output_tokens_at_most)

    def _listed(self, model: str, base_url: str | None) -> Rates | ListedPrice | None:
        for url in dict.fromkeys((base_url, None)):
            try:
                # A zero usage only asks which price applies.
                found = genai_prices.calc_price(genai_prices.Usage(), model, provider_api_url=url)
            except (LookupError, ValueError):
                continue
            prices = prices_of(found.model)
            if not all(map(is_complete, prices)):
                return None
            flat = _flat(prices[0]) if len(prices) == 1 else None
            return flat or ListedPrice(found.model, self._clock)
        return None


def _flat(price: ModelPrice) -> Rates | None:
    """Return whole rates when input, its caching and output are all there is to pay for."""
    stated = {key: value for key, value in vars(price).items() if value is not None}
    rates = [stated.get(key, stated["input_mtok"]) for key in _FLAT_KEYS]
    whole = [_whole(rate) if isinstance(rate, Decimal) else None for rate in rates]
    known = [rate for rate in whole if rate is not None]
    if len(known) < len(whole) or "requests_kcount" in stated:
        return None
    return Rates(*known)


def _rates_of(model: str, prices: Mapping[str, str]) -> Rates:
    def rate(kind: str, default: str | None = None) -> int:
        text = prices.get(kind, default)
        try:
            whole = _whole(Decimal(text or "missing"))
        except InvalidOperation:
            whole = None
        if whole is None:
            line = (
                f"JIRAIYA_LLM__PRICES: {kind!r} of {model!r} is {text!r}: give USD per million "
                "tokens as a decimal string such as '0.15', with at most six digits after the point"
            )
            raise SettingsError((line,))
        return whole

    unknown = sorted(set(prices) - set(_KINDS))
    if unknown:
        line = f"JIRAIYA_LLM__PRICES: {unknown[0]!r} of {model!r} is none of {', '.join(_KINDS)}"
        raise SettingsError((line,))
    return Rates(rate("input"), rate("cached_input", prices.get("input")), rate("output"))


def _whole(usd_per_million: Decimal) -> int | None:
    pico = usd_per_million * _PICO_PER_TOKEN
    fits = pico.is_finite() and pico >= 0 and pico == pico.to_integral_value()
    return int(pico) if fits else None
