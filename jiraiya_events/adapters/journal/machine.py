"""What the machine can tell of how a process ended: did it fall, or was it pushed?

A process that crashes by itself (a segmentation fault, an abort, a full C stack) has time to say
so: Python's faulthandler writes a note. One that the kernel kills for want of memory has not, but
Linux counts those (`oom_kill` in /proc/vmstat, over all containers). Neither a note nor a count:
somebody ended it with SIGKILL, or the machine went down. Where the kernel does not count, nobody
can tell, and every end is held to be a crash.
"""

import faulthandler
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jiraiya_events.adapters.journal.layout import End

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Machine:
    """One boot of a machine, and how many processes it has killed for memory; None: unknown."""

    boot: str
    ooms: int | None


def this_machine(proc: Path = PROC) -> Machine:
    """Return what is known now; never raises."""
    boot = _text(proc / "sys/kernel/random/boot_id").strip()
    counters = dict(line.split() for line in _text(proc / "vmstat").splitlines())
    count = counters.get("oom_kill")
    return Machine(boot, int(count) if boot and count else None)


def how_it_ended(then: Machine, now: Machine, *, noted: bool) -> End:
    """Return how a process ended that was not asked to; `noted`: it left a crash note."""
    if noted or then.ooms is None or now.ooms is None:
        return End.CRASHED
    same_boot = then.boot == now.boot
    return End.CRASHED if same_boot and now.ooms > then.ooms else End.KILLED


def note_crashes(path: Path) -> Callable[[], None]:
    """Let a crash of this process write a note to `path`; return what takes that back.

    Raises OSError.
    """
    before = faulthandler.is_enabled()
    note = path.open("wb", buffering=0)
    faulthandler.enable(note)

    def forget() -> None:
        faulthandler.disable()
        if before:
            faulthandler.enable()
        note.close()
        path.unlink(missing_ok=True)

    return forget


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
