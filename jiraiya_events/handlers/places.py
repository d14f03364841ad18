"""Where the engine parks records that wait for something other than time."""

from collections.abc import Hashable

from jiraiya_events.generation.steps import AwaitBreaker, AwaitSlot


def place_of(step: AwaitBreaker | AwaitSlot) -> Hashable:
    """Return where a record waits: beside a chain's breakers, or for a slot of one model."""
    return step.place if isinstance(step, AwaitBreaker) else slot_place(step.model)


def slot_place(model: str) -> Hashable:
    """Return where records wait for a slot of `model`."""
    return ("gate", model)
