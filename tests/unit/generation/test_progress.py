"""What the tries of a record have used, also those of a former owner."""

from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.withdrawal import Withdrawal


def test_tries_of_a_former_owner_were_calls_and_may_have_been_billed() -> None:
    """The log keeps their number only."""
    taken_over = Progress.of_former_owner(2, Withdrawal())
    assert (taken_over.tries, taken_over.calls) == (2, 2)
    assert (taken_over.billed, taken_over.cost_pico_usd) == (None, None)


def test_a_record_nobody_has_tried_has_cost_nothing() -> None:
    """Nothing is in doubt."""
    fresh = Progress.of_former_owner(0, Withdrawal())
    assert (fresh.tries, fresh.calls, fresh.billed) == (0, 0, False)
