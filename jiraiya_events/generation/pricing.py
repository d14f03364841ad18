"""Money per token in whole pico-dollars, so that sums stay exact."""

from dataclasses import dataclass

from jiraiya_events.domain.story import Usage


@dataclass(frozen=True, slots=True)
class Rates:
    """Pico-dollars (10^-12 USD) per token; one USD per million tokens is 1,000,000 of them."""

    input: int
    cached_input: int
    output: int

    def cost(self, usage: Usage) -> int:
        """Return the cost of `usage`; cached tokens are part of the input tokens."""
        fresh = usage.input_tokens - usage.cached_input_tokens
        return (
            fresh * self.input
            + usage.cached_input_tokens * self.cached_input
            + usage.output_tokens * self.output
        )

    def at_most(self, input_tokens: int, output_tokens: int) -> int:
        """Return what so many tokens cost at most, however many of them are cached."""
        return input_tokens * max(self.input, self.cached_input) + output_tokens * self.output
