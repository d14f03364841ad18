"""One breaker a model, made when the model is first asked for."""

from collections.abc import Callable, Iterator

from jiraiya_events.generation.breaker import Breaker, BreakerPolicy, State

Watcher = Callable[[Breaker, State, State], None]


class Breakers:
    """The breakers by model name; watchers hear of every change of any of them."""

    def __init__(self, policy: BreakerPolicy, models: tuple[str, ...] = ()) -> None:
        self._policy = policy
        self._breakers: dict[str, Breaker] = {}
        self._watchers: list[Watcher] = []
        for model in models:
            self.of(model)

    def __iter__(self) -> Iterator[Breaker]:
        """Go through every breaker there is so far."""
        return iter(tuple(self._breakers.values()))

    def of(self, model: str) -> Breaker:
        """Return the breaker of `model`."""
        breaker = self._breakers.get(model)
        if breaker is None:
            breaker = self._breakers[model] = Breaker(model, self._policy)
            breaker.on_change(lambda old, new: self._tell(breaker, old, new))
        return breaker

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher(breaker, old, new)` at each change, also of breakers made later."""
        self._watchers.append(watcher)

    def tick(self, now: float) -> None:
        """Let every breaker that is due become half-open."""
        for breaker in self:
            breaker.tick(now)

    def next_change_in_s(self, now: float) -> float | None:
        """Return in how long `tick` is due, None while nothing changes by time."""
        due = [s for breaker in self if (s := breaker.next_change_in_s(now)) is not None]
        return min(due, default=None)

    def _tell(self, breaker: Breaker, old: State, new: State) -> None:
        for watcher in self._watchers:
            watcher(breaker, old, new)
