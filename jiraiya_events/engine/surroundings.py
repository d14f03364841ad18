"""What all sessions of an engine share."""

from dataclasses import dataclass

from jiraiya_events.engine.dispatcher import Dispatcher
from jiraiya_events.engine.journal import Journal
from jiraiya_events.engine.limits import Limits
from jiraiya_events.engine.observer import Observer
from jiraiya_events.engine.parking import Parking
from jiraiya_events.engine.ports import Handler, Intake
from jiraiya_events.engine.throttle import Shares


@dataclass(slots=True)
class Surroundings:
    """The ports, the limits, and the slots and places they compete for."""

    intake: Intake
    handler: Handler
    dispatcher: Dispatcher
    parking: Parking
    limits: Limits
    shares: Shares
    observer: Observer
    journal: Journal
