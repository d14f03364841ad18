"""The models that may write a story, in the order in which they are asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model at one endpoint.

    `name` is that of its breaker, its gate, its price and its metrics; candidates with the same
    `account` share a bill. `context_window` is in tokens, None when it is not known.
    """

    name: str
    account: str = ""
    context_window: int | None = None


class Chains:
    """For each model a request may ask for: that one first, then the fallbacks in order.

    The first of `configured` is the default, the others are the fallbacks.
    """

    def __init__(self, configured: Sequence[Candidate], allowed: Iterable[Candidate] = ()) -> None:
        self._default = configured[0].name
        self._chains: dict[str, tuple[Candidate, ...]] = {}
        for head in (*configured, *allowed):
            others = tuple(other for other in configured[1:] if other.name != head.name)
            self._chains.setdefault(head.name, (head, *others))

    def of(self, requested: str | None) -> tuple[Candidate, ...]:
        """Return the chain of a request; `requested` must be allowed."""
        return self._chains[requested or self._default]

    def heads_of(self, name: str) -> tuple[str, ...]:
        """Return the heads of all chains in which `name` stands."""
        return tuple(
            head
            for head, chain in self._chains.items()
            if any(candidate.name == name for candidate in chain)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Return every candidate's name, the default first."""
        return tuple(self._chains)
