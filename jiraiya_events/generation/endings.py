"""How a request ends that gets no story: late, or withdrawn."""

from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.candidates import Chains
from jiraiya_events.generation.ports import Gate
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.steps import Rejected
from jiraiya_events.generation.turn import Turn


class Endings:
    """Knows from the histories of breakers and gate what held a request at its deadline."""

    def __init__(self, breakers: Breakers, gate: Gate, chains: Chains) -> None:
        self._breakers = breakers
        self._gate = gate
        self._chains = chains

    def code_at_deadline(self, progress: Progress, deadline: float, model: str | None) -> ErrorCode:
        """Return what held a request at the instant of its deadline, also when asked later."""
        if progress.held_by is not None and not progress.parked_on:
            return progress.held_by
        parked_on = progress.parked_on or ((progress.queued_for,) if progress.queued_for else ())
        if parked_on:
            codes = [self._code_at(deadline, name) for name in parked_on]
        else:
            codes = self._codes_of_chain(deadline, model)
        # It was held only if none of its models could be asked.
        first = codes[0]
        return ErrorCode.DEADLINE_EXCEEDED if first is None or None in codes else first

    def _codes_of_chain(self, deadline: float, model: str | None) -> list[ErrorCode | None]:
        codes: list[ErrorCode | None] = []
        empty: set[str] = set()
        for candidate in self._chains.of(model):
            code = self._code_at(deadline, candidate.name)
            if code is ErrorCode.PROVIDER_QUOTA:
                empty.add(candidate.account)
            if code is not None or candidate.account not in empty:
                codes.append(code)
        return codes

    def _code_at(self, deadline: float, name: str) -> ErrorCode | None:
        down = self._breakers.of(name).outages.code_at(deadline)
        return down or self._gate.code_at(name, deadline)

    def late(self, turn: Turn) -> Rejected:
        """Return the end of a request whose deadline has passed."""
        code = self.code_at_deadline(turn.progress, turn.deadline, turn.request.model)
        if code is ErrorCode.DEADLINE_EXCEEDED:
            return Rejected(code, "The story was not written before its deadline.", Stage.GENERATE)
        message = "The deadline passed while the model provider was failing."
        return Rejected(code, message, Stage.GENERATE)

    def cut_short(self, turn: Turn) -> Rejected:
        """Return the end of a request whose call was cut: withdrawn, else late."""
        return withdrawn(turn) or self.late(turn)


def withdrawn(turn: Turn) -> Rejected | None:
    """Return the end of a withdrawn request; it was only admitted if it never came to a call."""
    progress = turn.progress
    if progress.withdrawal.message is None:
        return None
    generating = progress.calls > 0 or progress.held_by is not None
    stage = Stage.GENERATE if generating else Stage.ADMIT
    return Rejected(ErrorCode.CANCELLED, progress.withdrawal.message, stage)
