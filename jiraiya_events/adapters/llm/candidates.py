"""From the options to the candidates generation chooses among."""

from jiraiya_events.adapters.llm.context_windows import context_window
from jiraiya_events.adapters.llm.options import LlmOptions, Route
from jiraiya_events.generation.candidates import Candidate, Chains


def candidates(options: LlmOptions) -> Chains:
    """Return the chain of every model a request may ask for."""
    return Chains(
        [_candidate(route) for route in options.routes],
        [_candidate(options.route_of(model)) for model in options.allowed_models],
    )


def _candidate(route: Route) -> Candidate:
    account = route.account
    return Candidate(route.name, account.name, context_window(route.model, account.base_url))
