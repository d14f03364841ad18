"""How a program speaks to the benchmark: JSON lines, out and in."""

import asyncio
import json
import sys
from typing import Any


def say(answer: dict[str, Any]) -> None:
    """Write one line and let it go."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def hear() -> Any:  # noqa: ANN401 - whatever JSON it is
    """Return the next line read, None at the end; waits in a thread."""
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line else None
