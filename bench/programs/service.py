"""The service as `serve` runs it, with a profiler that two signals switch on and off."""

import asyncio
import cProfile
import signal
import sys

import uvloop

from bench.programs.answers import say
from jiraiya_events.adapters.telemetry.logs import configure_logs
from jiraiya_events.bootstrap import build_service
from jiraiya_events.settings import load_settings


def _profile_to(path: str) -> None:
    """SIGUSR1 starts profiling this thread, which is the event loop's; SIGUSR2 writes it down."""
    profiler = cProfile.Profile()

    def written() -> None:
        profiler.disable()
        profiler.dump_stats(path)
        say({"profiled": True})

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, profiler.enable)
    loop.add_signal_handler(signal.SIGUSR2, written)


async def main() -> None:
    """Serve with the settings of the environment; profile to the file named, if any."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    settings = load_settings(dotenv=None)
    configure_logs(level="INFO", style="json")
    if len(sys.argv) > 1:
        _profile_to(sys.argv[1])
    service = build_service(settings)
    await service.start()
    say({"started": True})
    await stopping.wait()
    await service.stop()


if __name__ == "__main__":
    uvloop.run(main())
