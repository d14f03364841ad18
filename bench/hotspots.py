"""A profile as people can read it: own time per story, by package and by function."""

import pstats
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

TOP = 25
_PACKAGE = re.compile(r".*/(?:site-packages|python3\.\d+)/([^/]+)")
_OURS = re.compile(r".*/jiraiya_events/(.*)\.py$")

_Function = tuple[str, int, str]


def by_package(path: Path, stories: int) -> None:
    """Print own time in microseconds per story; a profiler about doubles what it looks at."""
    stats = cast("Mapping[_Function, Any]", cast("Any", pstats.Stats(str(path))).stats)
    packages: dict[str, float] = defaultdict(float)
    for function, (_, _, own_s, _, _) in stats.items():
        packages[package_of(function)] += own_s
    total = sum(packages.values())
    print(f"  profile of the event loop's thread, own time in µs per story (n {stories})")
    print("  (the profiler itself inflates small functions: read it as shares)")
    for name, own_s in sorted(packages.items(), key=lambda item: -item[1])[:TOP]:
        print(f"    {own_s / stories * 1e6:8.0f}  {own_s / total:5.1%}  {name}")
    print("  the same by function")
    top = sorted(stats.items(), key=lambda item: -item[1][2])[:TOP]
    for function, (_, calls, own_s, all_s, _) in top:
        where = f"{package_of(function)}: {function[2]}:{function[1]}"
        each, within = own_s / stories * 1e6, all_s / stories * 1e6
        print(f"    {each:8.0f}  within {within:6.0f}  calls {calls / stories:6.1f}  {where}")


def package_of(function: _Function) -> str:
    """Return the package of a profiled function, our own by folder."""
    file = function[0]
    if ours := _OURS.match(file):
        return "jiraiya_events/" + ours[1].rpartition("/")[0]
    if found := _PACKAGE.match(file):
        return found[1].removesuffix(".py")
    return "built-in" if file in {"~", ""} else Path(file).stem
