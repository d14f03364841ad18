"""Money for one call: reserved before it at the most it can cost, booked after it at what it did.

What a call that broke may have cost stays reserved for its day, as does what a crash leaves
behind: a budget is never passed, at the worst it is used up early.
"""

from functools import partial
from uuid import uuid4

from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.generation.backlog import Backlog
from jiraiya_events.generation.one_call import Answered, Failed
from jiraiya_events.generation.ports import CallObserver, PriceList
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.spending import Reservation, Spending, input_tokens_at_most
from jiraiya_events.generation.steps import AwaitStore, Rejected
from jiraiya_events.generation.turn import Turn

LOOK_AGAIN_S = 2.0
"""How often a request looks whether the budget can be read again."""

_OVER = {
    "user": "The daily budget for this user is used up, or set aside for stories under way.",
    "service": "The daily budget for stories is used up, or set aside for those under way.",
}


class Purse:
    """Without `spending` nothing is limited, and nothing is asked."""

    def __init__(
        self,
        spending: Spending | None,
        prices: PriceList,
        clock: Clock,
        observer: CallObserver,
        backlog: Backlog,
    ) -> None:
        self._spending = spending
        self._prices = prices
        self._clock = clock
        self._observer = observer
        self._backlog = backlog

    async def reserve(
        self, turn: Turn, output_tokens: int
    ) -> Reservation | Rejected | AwaitStore | None:
        """Reserve the most the next call of this turn can cost.

        None when nothing is limited. A model without a known price is never asked when there is
        a budget: the start-up has seen to that.
        """
        if self._spending is None:
            return None
        now, progress = self._clock.now(), turn.progress
        wanted = self._wanted(turn, output_tokens, now)
        try:
            if progress.doubtful is not None:
                await self._spending.settle(progress.doubtful, 0)
            progress.doubtful = wanted
            over = await self._spending.reserve(wanted, now)
        except StoreUnavailable as error:
            self._observer.store_failed("reserve", str(error))
            return AwaitStore(max(0.0, min(LOOK_AGAIN_S, turn.deadline - now)))
        progress.doubtful = None
        self._observer.store_answered("reserve")
        if over is None:
            return wanted
        retry_after_ms = round(over.retry_after_s * 1000)
        return Rejected(ErrorCode.BUDGET_EXCEEDED, _OVER[over.scope], Stage.ADMIT, retry_after_ms)

    async def settle(self, reserved: Reservation | None, called: Answered | Failed) -> None:
        """Book what the call did cost; what is not known stays reserved."""
        await self._book(reserved, _cost(called))

    async def release(self, reserved: Reservation | None) -> None:
        """Give back what was reserved for a call that was never made."""
        await self._book(reserved, 0)

    async def _book(self, reserved: Reservation | None, cost: int | None) -> None:
        if self._spending is None or reserved is None or cost is None:
            return
        settle = partial(self._spending.settle, reserved, cost)
        await self._backlog.save("settle", reserved.key, settle)

    def _wanted(self, turn: Turn, output_tokens: int, now: float) -> Reservation:
        texts = (turn.prompt.system_text(AnswerForm.JSON), turn.prompt.user)
        most = self._prices.upper_bound_pico_usd(
            turn.model, input_tokens_at_most(texts), output_tokens
        )
        return Reservation(
            key=uuid4().hex,
            user_id=None if turn.identity.attempt > 1 else turn.request.user_id,
            pico_usd=most or 0,
            now=now,
        )


def _cost(called: Answered | Failed) -> int | None:
    """Return what a call did cost, None when that cannot be known."""
    if isinstance(called, Answered):
        return called.cost_pico_usd
    return None if called.may_cost else 0
