"""The verdict on services that have ended: whoever still runs may yet say something twice."""

import signal

from tests.blackbox.judge import Judgement
from tests.blackbox.service import STOP_S
from tests.blackbox.world import World


def judged_at_rest(world: World) -> Judgement:
    """Stop whatever runs, all at once and in good order, and judge what there is then."""
    running = [service for service in world.services if service.alive]
    for service in running:
        service.send(signal.SIGTERM)
    for service in running:
        code = service.wait(STOP_S)
        assert code == 0, f"{service.name} exited with {code}:\n{service.log[-3000:]}"
    return world.judgement()
