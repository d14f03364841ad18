"""Services for tests that count what is paid for."""

from tests.blackbox.service import ServiceProcess
from tests.blackbox.world import World


def patient(world: World, **changes: str) -> ServiceProcess:
    """Start a service to which a store that is held up by a busy machine is no outage."""
    service = world.service(**changes)
    service.program = "tests.chaos.programs.patient"
    return service.start()
