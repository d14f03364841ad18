"""Variables that look like settings of ours and are none: most likely a typing error."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from jiraiya_events.settings.variables import PREFIX, SECRETS_DIR, variables

# Near enough to be a slip of the fingers, far enough from JIRAIYA_SERVICE_HOST and the like,
# which Kubernetes puts into every pod beside a service called `jiraiya`.
_SLIP: Final = 0.87


def unknown_variables(names: Iterable[str]) -> tuple[str, ...]:
    """Return one line for each name that is probably meant for us and misspelt.

    Never fatal: a newer or older release beside us may know the name. Names without `__` are
    reported only when they are close to one of ours.
    """
    known = [*variables(), SECRETS_DIR]
    lines = []
    for name in sorted(set(names)):
        if not name.upper().startswith(PREFIX) or name in known:
            continue
        close = get_close_matches(name.upper(), known, n=1, cutoff=_SLIP)
        if close:
            lines.append(f"{name} is not a setting and is ignored; did you mean {close[0]}?")
        elif "__" in name:
            lines.append(f"{name} is not a setting and is ignored; see `jiraiya config show`")
    return tuple(lines)
