"""SIGTERM is taken for Ctrl-C, and only within."""

import signal
from collections.abc import Iterator

import pytest

from jiraiya_events.cli.dlq.stopping import sigterm_as_ctrl_c


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN])
def before(request: pytest.FixtureRequest) -> Iterator[object]:
    """Begin with Ctrl-C noticed, or ignored as for a script's `jiraiya … &`."""
    found = signal.signal(signal.SIGINT, request.param)
    yield request.param
    signal.signal(signal.SIGINT, found)


def test_sigterm_interrupts_and_leaves_the_signals_as_they_were(before: object) -> None:
    sigterm = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_as_ctrl_c():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is sigterm
    assert signal.getsignal(signal.SIGINT) is before
