"""Outputs the log will never take: which they are, and what is published instead.

The log refuses a whole transaction. Where it is known which record's output it was, that one is
replaced by its smaller form, then by the handler's last resort; where several are suspected, each
is tried alone, in order.
"""

from collections.abc import Sequence

from jiraiya_events.engine.errors import NothingAccepted, OutputsRefused
from jiraiya_events.engine.finished import Finished
from jiraiya_events.engine.ports import Handler


class Refusals:
    """The suspects of one session's refused transactions."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._alone: set[int] = set()

    def next_in_order(self, finished: list[Finished]) -> list[Finished]:
        """Return all that is finished, but a suspect of a refused transaction only alone."""
        if not self._alone:
            return list(finished)
        for index, item in enumerate(finished):
            if item.record.offset in self._alone:
                return finished[: max(index, 1)]
        return list(finished)

    def accepted(self, batch: Sequence[Finished]) -> None:
        """Suspect these no more."""
        self._alone -= {item.record.offset for item in batch}

    def make_smaller(self, batch: Sequence[Finished], error: OutputsRefused) -> None:
        """Replace what was refused; when it is not known what, suspect.

        Raises `NothingAccepted` when the last resort was refused too.
        """
        refused = _refused_by_item(batch, error.indices)
        if len(refused) > 1:
            self._alone = {item.record.offset for item, _ in refused}
            return
        for item, indices in refused:
            self._replace(item, indices, error)

    def _replace(self, item: Finished, indices: set[int], error: OutputsRefused) -> None:
        outputs = [
            output.smaller if index in indices else output
            for index, output in enumerate(item.outputs)
        ]
        kept = [output for output in outputs if output is not None]
        if len(kept) == len(outputs):
            item.outputs = tuple(kept)
        elif not item.given_up:
            done = self._handler.crashed(item.work, error)
            item.outputs, item.label, item.given_up = tuple(done.outputs), done.label, True
        else:
            msg = f"the log refuses every outcome of {item.record.offset}: {error}"
            raise NothingAccepted(msg) from error


def _refused_by_item(
    batch: Sequence[Finished], indices: frozenset[int]
) -> list[tuple[Finished, set[int]]]:
    """Return the batch's items with a refused output, each with that output's own indices."""
    refused = []
    first = 0
    for item in batch:
        own = {index - first for index in indices if first <= index < first + len(item.outputs)}
        if own:
            refused.append((item, own))
        first += len(item.outputs)
    return refused
