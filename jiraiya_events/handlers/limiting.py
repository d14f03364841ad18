"""How often a user may ask: counted when a request is first seen, never for a replay of it."""

from typing import Final

from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure, StoreUnavailable
from jiraiya_events.generation.ports import CallObserver
from jiraiya_events.generation.result_store import Stored
from jiraiya_events.generation.spending import UserLimits
from jiraiya_events.handlers.case import Case

TOO_MANY: Final = "Too many requests of this user in a short time."


class Limiting:
    """Without `limits` nobody is limited; counts that cannot be reached limit nobody either."""

    def __init__(self, limits: UserLimits | None, observer: CallObserver) -> None:
        self._limits = limits
        self._observer = observer

    async def admit(self, case: Case, stored: Stored) -> None:
        """Count a request that nobody has seen yet. Raises `RequestFailure`: `rate_limited`.

        One that the store knows was counted by whoever saw it first, before its partition moved.
        """
        if self._limits is None or case.counted:
            return
        case.counted = True
        if case.envelope.replayed or stored.known:
            return
        try:
            wait_s = await self._limits.check(case.request.user_id)
        except StoreUnavailable as error:
            self._observer.store_failed("limit", str(error))
            return
        self._observer.store_answered("limit")
        if wait_s > 0:
            raise RequestFailure(
                ErrorCode.RATE_LIMITED,
                TOO_MANY,
                stage=Stage.ADMIT,
                retry_after_ms=max(1, round(wait_s * 1000)),
            )
