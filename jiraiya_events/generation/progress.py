"""What the tries of one record have used so far."""

from dataclasses import dataclass, field

from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.classification import Repair
from jiraiya_events.generation.outages import Outages
from jiraiya_events.generation.spending import Reservation
from jiraiya_events.generation.steps import Rejected, Written
from jiraiya_events.generation.withdrawal import Withdrawal

NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class SpentTry:
    """A failed call the breaker counted; an outage that covers it gives the try back."""

    started_at: float
    ended_at: float
    repair: Repair


@dataclass(slots=True)
class Used:
    """What one model's calls for one record have used up."""

    tries: int = 0
    repairs: Repair = Repair.NONE
    spent: list[SpentTry] = field(default_factory=list)

    def spend(self, repair: Repair) -> None:
        """Use up one try for good, with the single try it stands for."""
        self.tries += 1
        self.repairs |= repair

    def spend_on_failure(self, failure: SpentTry) -> None:
        """Use up one try that an outage may still give back."""
        self.spend(failure.repair)
        self.spent.append(failure)

    def give_back(self, outages: Outages) -> None:
        """Take back every try whose call failed on the way into an outage, or during it."""
        if not self.spent:
            return
        kept = [one for one in self.spent if not outages.cover(one.started_at, one.ended_at)]
        returned = [one for one in self.spent if one not in kept]
        self.spent = kept
        for one in returned:
            self.tries -= 1
            self.repairs &= ~one.repair
        for one in kept:
            self.repairs |= one.repair


@dataclass(slots=True)
class Progress:
    """Kept between the tries of one record; `calls` were made, whatever became of them.

    `cost_pico_usd` is None once some price is unknown; `billed` is None while a cut call may
    have been billed; `held_by` is the provider failure being waited out now, and `parked_on` the
    breakers that do the holding together: their history knows whether they still did at the
    deadline. `recovered` is True once the stored answer needs no look: it had one, or is our own.
    `ruled_out` are the models that cannot help this request any more, with the end each would
    have been. `queued_for` is the model it waits for a slot of, `streamed_by` the one whose text
    was passed on while it was written. `calling_s` is how long models were at work. `unreleased`
    passed our checks and waits for the provider's moderation. `doubtful` may have been reserved:
    the store did not say so.
    """

    calls: int = 0
    usage: Usage = NO_USAGE
    cost_pico_usd: int | None = 0
    billed: bool | None = False
    held_by: ErrorCode | None = None
    parked_on: tuple[str, ...] = ()
    recovered: bool = False
    sought_in_cache: bool = False
    input_passed: bool = False
    queued_for: str | None = None
    streamed_by: str | None = None
    calling_s: float = 0.0
    ruled_out: dict[str, Rejected] = field(default_factory=dict)
    unreleased: Written | None = None
    doubtful: Reservation | None = None
    withdrawal: Withdrawal = field(default_factory=Withdrawal)
    _used: dict[str, Used] = field(default_factory=dict)
    _reviews: dict[str, Used] = field(default_factory=dict)
    _inherited: int = 0

    @classmethod
    def of_former_owner(cls, tries: int, withdrawal: Withdrawal) -> "Progress":
        """Begin with the tries the log says were used up: each was a call.

        What those cost is not known, unless their answer is in the store.
        """
        if not tries:
            return cls(withdrawal=withdrawal)
        return cls(
            calls=tries, billed=None, cost_pico_usd=None, withdrawal=withdrawal, _inherited=tries
        )

    @property
    def tries(self) -> int:
        """Return how many tries are used up, of all models together."""
        return self._inherited + sum(used.tries for used in self._used.values())

    def count_elsewhere(self, tries: int) -> None:
        """Go on from `tries` in all, where another owner has used up some of them meanwhile.

        Each was a call of the first model's, and what it cost is not known.
        """
        unknown = tries - self.tries
        if unknown <= 0:
            return
        self.calls += unknown
        self.billed = self.cost_pico_usd = None
        if self._used:
            next(iter(self._used.values())).tries += unknown
        else:
            self._inherited += unknown

    def of(self, model: str) -> Used:
        """Return what `model` has used; what a former owner had used is the first one's."""
        used = self._used.get(model)
        if used is None:
            used = self._used[model] = Used(self._inherited)
            self._inherited = 0
        return used

    def reviewed(self, text: str) -> Used:
        """Return what the moderation of a text has used: tries of no model, and not passed on."""
        return self._reviews.setdefault(text, Used())

    def charge(self, usage: Usage | None, cost_pico_usd: int | None) -> None:
        """Add one answered call; a call without a usage or a price makes the cost unknown."""
        self.billed = True
        if usage is not None:
            self.usage = usage if self.usage is NO_USAGE else self.usage + usage
        if self.cost_pico_usd is not None:
            known = usage is not None and cost_pico_usd is not None
            self.cost_pico_usd = self.cost_pico_usd + (cost_pico_usd or 0) if known else None

    def take_over(self, calls: int, usage: Usage, cost_pico_usd: int | None) -> None:
        """Start from what this attempt had used when its process ended."""
        self.calls = max(self.calls, calls)
        self.usage = usage
        self.cost_pico_usd = cost_pico_usd
        self.billed = True

    def wait_out(self, code: ErrorCode | None, parked_on: tuple[str, ...] = ()) -> None:
        """Note what this request waits for now; None when it merely waits its turn."""
        self.held_by = code
        self.parked_on = parked_on

    def doubt_billing(self) -> None:
        """Note a call that was cut and may have been billed."""
        self.billed = self.billed or None
