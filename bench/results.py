"""Raw results, kept as JSON lines next to this file: losing rows as well as winning ones."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.measurement import Measurement

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Return what a ratio may depend on; never a path or a host name."""
    return {
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "load_1m": round(os.getloadavg()[0], 2),
    }


def keep(measurements: Sequence[Measurement], about: dict[str, Any]) -> None:
    """Append one line per measurement to its cell's file."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    RESULTS.mkdir(exist_ok=True)
    for row in measurements:
        line = {
            "at": at,
            **about,
            "cell": row.cell,
            "case": row.case,
            "what": row.what,
            "goal": str(row.goal) if row.goal else None,
            "ratio": row.ratio,
            "verdict": row.verdict,
            "ratios": [round(ratio, 4) for ratio in row.ratios],
            "n": row.n,
            "detail": row.detail,
        }
        with (RESULTS / f"{row.cell}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
