"""What a record's last turn left to be committed."""

from collections.abc import Sequence
from dataclasses import dataclass

from jiraiya_events.engine.records import Output, Record
from jiraiya_events.engine.verdicts import Work


@dataclass(slots=True)
class Finished:
    """A record whose outputs wait for their transaction."""

    work: Work
    outputs: Sequence[Output]
    label: object
    given_up: bool = False
    """The handler was asked for a last resort after the log refused these outputs."""

    @property
    def record(self) -> Record:
        """Return the record itself."""
        return self.work.record
