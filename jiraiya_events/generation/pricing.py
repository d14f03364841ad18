"""Money per token in whole pico-dollars, so that sums stay exact."""

from dataclasses import dataclass

from jiraiya_events.domain.story import Usage


@dataclass(frozen=True, slots=True)
class Rates:
    """Pico-dollars (10^-12 USD) per token; one USD per million tokens is 1,000,000 of them."""

    input: int
    cached_input: int
    output: int
    cache_write: int | None = None
    """Of tokens that are put into the cache; None where they cost what others do."""

    def cost(self, usage: Usage) -> int:
        """Return the cost of `usage`; cached tokens, read or written, are input tokens too."""
        fresh = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
        return (
            fresh * self.input
            + usage.cached_input_tokens * self.cached_input
            + usage.cache_write_tokens * self._write
            + usage.output_tokens * self.output
        )

    def at_most(self, input_tokens: int, output_tokens: int) -> int:
        """Return what so many tokens cost at most, however many of them are cached."""
        dearest = max(self.input, self.cached_input, self._write)
        return input_tokens * dearest + output_tokens * self.output

    @property
    def _write(self) -> int:
        return self.input if self.cache_write is None else self.cache_write
