"""The result store's disk fills up while stories are written."""

import pytest

from tests.blackbox.load import SteadyLoad
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest

SEED = 3
REQUESTS = 200


@pytest.mark.timeout(120)
def test_a_full_disk_costs_no_request_and_is_told(world: World) -> None:
    """Without its store the service goes on, and readiness says what is wrong."""
    service = world.service(LOG__LEVEL="ERROR")
    service.program = "tests.chaos.programs.cramped"
    service.settings["LARGEST_FILE"] = str(200 * 1024)
    service.start().wait_ready()
    with SteadyLoad(world, per_second=40, total=REQUESTS, seed=SEED):
        wait_until(lambda: _status(service) == "degraded", 60, "the full disk is told")
    world.outcomes(REQUESTS, timeout_s=60)
    assert service.status("/health/ready") == 200
    checks = {check["name"]: check for check in service.json("/health/ready")["checks"]}
    assert checks["store"]["status"] == "degraded", checks["store"]
    assert not judged_at_rest(world).problems


def _status(service: ServiceProcess) -> str:
    return str(service.json("/health/ready")["status"])
