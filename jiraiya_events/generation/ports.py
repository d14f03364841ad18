"""What generation needs from around it: a model, a price list, a gate, a reader, an observer."""

from collections.abc import Callable, Mapping
from typing import Protocol

from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.breaker import State
from jiraiya_events.generation.faults import Fault
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import Prompt


class ModelPort(Protocol):
    """A chat model behind some client library."""

    async def complete(
        self,
        prompt: Prompt,
        *,
        model: str,
        max_output_tokens: int | None,
        timeout_s: float,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelAnswer:
        """Make one call and return its answer, usable or not.

        With `on_text` the call streams and tells the story's text, without its title, piece by
        piece; `on_text` is quick and never raises. `timeout_s` bounds one silence of the
        connection; the caller bounds the whole call by cancelling it, which closes the
        connection. Raises `CallFault`, and nothing else that a provider or a network could cause.
        """
        ...


class PriceList(Protocol):
    """What tokens cost."""

    def cost_pico_usd(self, model: str, usage: Usage) -> int | None:
        """Return the cost of one call in pico-dollars, None when the price is unknown."""
        ...

    def upper_bound_pico_usd(
        self, model: str, input_tokens_at_most: int, output_tokens_at_most: int
    ) -> int | None:
        """Return what such a call costs at most, None when the price is unknown."""
        ...


class Gate(Protocol):
    """Decides how many calls of a model may be under way, and when the next may start."""

    def admit(self, model: str, now: float, *, waited: bool = False) -> float | None:
        """Return 0 when the call may start: then `leave` must follow.

        More than 0: the seconds the provider wants everybody to wait. None: as many calls are
        under way as the model can take; come again, `waited`, when a slot was freed.
        """
        ...

    def leave(self, model: str, now: float) -> None:
        """Note that an admitted call ended, however it did."""
        ...

    def accepted(
        self,
        model: str,
        now: float,
        *,
        seconds: float,
        output_tokens: int | None,
        headers: Mapping[str, str],
    ) -> None:
        """Note that the provider did not limit a call, and what it said and took."""
        ...

    def limited(self, model: str, now: float, retry_after_s: float | None) -> None:
        """Note that the provider limited a call."""
        ...

    def code_at(self, model: str, instant: float) -> ErrorCode | None:
        """Return `provider_rate_limited` when the provider was refusing calls at `instant`."""
        ...


class Feed(Protocol):
    """Whoever reads along while a story is written.

    One that is `withheld` has no use for a text before it has passed every check.
    """

    @property
    def withheld(self) -> bool:
        """Whether nothing may be passed on before the end."""
        ...

    @property
    def published(self) -> bool:
        """Whether anything was passed on: then no other model can take over."""
        ...

    def begin(self) -> None:
        """Hear that a model begins, and drop what an earlier call had said without publishing."""
        ...

    def text(self, delta: str) -> None:
        """Take the next piece of the story's text; quick, and never raises."""
        ...


class CallObserver:
    """Hears what happens, for metrics and logs; this one ignores all of it."""

    def call_finished(
        self, model: str, outcome: str, seconds: float, usage: Usage | None, cost: int | None
    ) -> None:
        """Note how a call ended: `ok`, `cut` or an error code; the cost is in pico-dollars."""

    def call_failed(self, model: str, fault: Fault) -> None:
        """Note why a call brought no answer, for whoever runs the service."""

    def first_text(self, model: str, seconds: float) -> None:
        """Note how long a streamed call took to its first text."""

    def breaker_changed(self, name: str, state: State) -> None:
        """Note the new state of a breaker."""

    def store_looked_up(self, result: str) -> None:
        """Note a look-up: `hit`, `answer`, `miss`, `busy`, `conflict` or `error`."""

    def cache_looked_up(self, result: str) -> None:
        """Note a look into the response cache: `hit`, `miss` or `error`."""

    def store_answered(self, operation: str) -> None:
        """Note that something was saved, or a limit, a budget or the response cache reached."""

    def store_failed(self, operation: str, reason: str) -> None:
        """Note that the store could not be used; the request goes on without it."""

    def backlog_full(self, most: int) -> None:
        """Note that more than `most` writes wait for the store: the oldest are lost from now on."""
