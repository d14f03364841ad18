"""Where random schedules begin: somewhere new in every run, and where a failure told.

`JIRAIYA_TEST_SEED=<seed> JIRAIYA_TEST_SCHEDULES=1` repeats a schedule that failed, in block 0.
"""

import os
import random

SCHEDULES = int(os.environ.get("JIRAIYA_TEST_SCHEDULES", "60"))
"""How many a block has."""

FIRST = int(os.environ.get("JIRAIYA_TEST_SEED") or random.SystemRandom().randrange(10**9))


def block_of_seeds(block: int) -> range:
    """Return the seeds of a block; blocks do not overlap."""
    return range(FIRST + block * SCHEDULES, FIRST + (block + 1) * SCHEDULES)


def again(seed: int) -> str:
    """Return how to repeat the schedule of a seed."""
    return f"JIRAIYA_TEST_SEED={seed} JIRAIYA_TEST_SCHEDULES=1"
