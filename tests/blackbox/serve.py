"""`python -m tests.blackbox.serve`: the service alone, until `jiraiya serve` is there."""

import asyncio
import signal
import sys

import uvloop

from jiraiya_events.adapters.telemetry.logs import configure_logs
from jiraiya_events.bootstrap import build_service
from jiraiya_events.domain.errors import ServiceError, SettingsError
from jiraiya_events.settings import Settings, load_settings


def main() -> int:
    """Run until SIGTERM; return the exit code of the contract."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logs(level=settings.log.level, style=settings.log.format)
    try:
        uvloop.run(_serve(settings))
    except ServiceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await build_service(settings).run(stopping)


if __name__ == "__main__":
    sys.exit(main())
