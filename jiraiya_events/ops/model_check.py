"""Does the model endpoint answer, with our key, and does it have our model? Costs nothing."""

from collections.abc import Awaitable, Callable
from typing import Final

from jiraiya_events.ops.findings import Finding, failed, ok, warning

MODEL: Final = "model"
NO_KEY: Final = "no key"
"""What a probe answers that could not ask for want of a key."""


async def check_model(probe: Callable[[], Awaitable[str]], model: str, place: str) -> list[Finding]:
    """Ask with `probe`, which answers as the model adapter's does; `place` is the address."""
    answer = await probe()
    if answer == "ok":
        return [ok(MODEL, f"{place} answers and offers {model}")]
    if answer == "unclear":
        return [
            warning(
                MODEL,
                f"{place} answers, but gives no list of models: whether it has {model} is open",
                f"send one: `jiraiya request lantern --wait` (it costs a call of {model})",
            )
        ]
    detail, mend = _faults(model, place)[answer]
    return [failed(MODEL, detail, mend)]


def _faults(model: str, place: str) -> dict[str, tuple[str, str]]:
    return {
        NO_KEY: (
            "no key is set",
            "set JIRAIYA_LLM__API_KEY or OPENAI_API_KEY (to any text when none is needed)",
        ),
        "unreachable": (
            f"{place} cannot be reached",
            "check JIRAIYA_LLM__BASE_URL, the network and the proxy",
        ),
        "unauthorized": (
            f"{place} refuses the key",
            "set JIRAIYA_LLM__API_KEY (or OPENAI_API_KEY) to a valid one",
        ),
        "model missing": (
            f"{place} has no model {model}",
            "set JIRAIYA_LLM__MODEL to one it lists",
        ),
    }
