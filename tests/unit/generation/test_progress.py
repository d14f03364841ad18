"""What the tries of a record have used, also those of a former owner."""

from jiraiya_events.generation.classification import Repair
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


def test_tries_used_up_elsewhere_count_on_the_first_model_and_their_cost_is_unknown() -> None:
    """An owner in between made them; fewer than are known say nothing."""
    progress = Progress(calls=1)
    progress.of("a").spend(Repair.NONE)
    progress.of("b")
    for tries in (0, 1):
        progress.count_elsewhere(tries)
        assert (progress.tries, progress.calls, progress.billed) == (1, 1, False)
    progress.count_elsewhere(3)
    assert (progress.of("a").tries, progress.of("b").tries, progress.calls) == (3, 0, 3)
    assert (progress.billed, progress.cost_pico_usd) == (None, None)
    fresh = Progress()
    fresh.count_elsewhere(2)
    assert (fresh.tries, fresh.of("a").tries) == (2, 2)
