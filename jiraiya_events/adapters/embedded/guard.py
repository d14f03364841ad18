"""The guard: a small process between us and the JVM, so that the JVM never outlives us.

It starts the command it is given and watches its own standard input. That pipe closes when
our process ends, in whatever way, and then the guard kills the command. (Linux's "signal me
when my parent dies" alone would not do for us: it fires when the *thread* that started the
child ends. Here, where there is one thread that lives to the end, it covers the guard's own
violent death.)

Run as a script with ``python -I -S``: it must start fast, so it imports the standard
library only. Orders on standard input: ``t`` terminate, ``k`` kill; the end of input kills.
Reports on standard output: ``started <pid>`` or ``failed <reason>``, later
``exited <code>``, negative for a signal. Standard error is the command's log.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_LOG_FD = 2
LOW_PRIORITY = "--low-priority"
REMOVE = "--remove="


def main(arguments: list[str]) -> int:
    """Run ``[options] -- command…`` until it ends; return 0 when it could be started."""
    split = arguments.index("--")
    options, command = arguments[:split], arguments[split + 1 :]
    if hasattr(os, "setpgid"):
        # Ctrl-C in a terminal reaches the whole foreground group: the broker must stay up
        # until our process has drained and says so.
        os.setpgid(0, 0)
    if LOW_PRIORITY in options and hasattr(os, "nice"):
        os.nice(19)
    try:
        child = _start(command)
    except OSError as error:
        _report(f"failed {error}")
        return 1
    _report(f"started {child.pid}")
    return _watch(child, [option[len(REMOVE) :] for option in options if REMOVE in option])


def _watch(child: "subprocess.Popen[bytes]", remove_when_abandoned: list[str]) -> int:
    abandoned = threading.Event()
    threading.Thread(target=_obey, args=(child, abandoned), daemon=True).start()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: child.kill())
    code = child.wait()
    _report(f"exited {code}")
    if abandoned.is_set():
        import shutil  # noqa: PLC0415 - only needed here, and the guard has to start fast

        for folder in remove_when_abandoned:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - the command is our own parent's
        command,
        stdin=subprocess.DEVNULL,
        stdout=_LOG_FD,
        stderr=_LOG_FD,
        preexec_fn=_die_with_parent(),  # noqa: PLW1509 - no second thread runs yet
    )


def _die_with_parent() -> "Callable[[], None] | None":
    if sys.platform != "linux":
        return None
    try:
        import ctypes  # noqa: PLC0415 - not every Python has it

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask_kernel


def _obey(child: "subprocess.Popen[bytes]", abandoned: threading.Event) -> None:
    while order := os.read(0, 1):
        if order == b"t":
            child.terminate()
        elif order == b"k":
            child.kill()
    abandoned.set()
    child.kill()


def _report(line: str) -> None:
    # Nobody may be listening any more, and that is no reason to leave the child alone.
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode(errors="backslashreplace"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
