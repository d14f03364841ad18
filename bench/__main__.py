"""`python -m bench [cell …] [--quick] [--note TEXT]`: measure, print, keep. Exit code 0."""

import argparse
import asyncio
import time
import traceback
from collections.abc import Awaitable, Mapping
from typing import Protocol

from bench.broker import broker
from bench.cells import (
    backlog,
    cpu,
    engine,
    gate,
    outage,
    overhead,
    parallelism,
    partitions,
    prompt,
    rolling,
    soak,
    startup,
    takeover,
)
from bench.measurement import Measurement
from bench.results import keep, machine
from bench.table import show, table


class Cell(Protocol):
    """A cell's `measure`."""

    def __call__(self, bootstrap: str, *, quick: bool) -> Awaitable[list[Measurement]]:
        """Return what was measured against the broker at `bootstrap`."""
        ...


CELLS: Mapping[str, Cell] = {
    "startup": startup.measure,
    "engine": engine.measure,
    "backlog": backlog.measure,
    "partitions": partitions.measure,
    "cpu": cpu.measure,
    "prompt": prompt.measure,
    "overhead": overhead.measure,
    "parallelism": parallelism.measure,
    "outage": outage.measure,
    "gate": gate.measure,
    "takeover": takeover.measure,
    "rolling": rolling.measure,
    "soak": soak.measure,
}


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="cell", help=f"of {', '.join(CELLS)}; all")
    parser.add_argument("--quick", action="store_true", help="fewer records and rounds")
    parser.add_argument("--note", default="", help="kept with the results, such as `quiet machine`")
    options = parser.parse_args()
    if unknown := set(options.cells) - set(CELLS):
        parser.error(f"{sorted(unknown)} is none of {', '.join(CELLS)}")
    asyncio.run(_run(options.cells or list(CELLS), quick=options.quick, note=options.note))


async def _run(names: list[str], *, quick: bool, note: str) -> None:
    rows: list[Measurement] = []
    async with broker() as bootstrap:
        for name in names:
            about = {**machine(), "quick": quick, "note": note}
            print(f"{name} …", flush=True)
            started = time.monotonic()
            measured = await _measured(name, bootstrap, quick=quick)
            keep(measured, about)
            for row in measured:
                show(row)
            print(f"  took {time.monotonic() - started:.0f} s", flush=True)
            rows += measured
    print()
    table(rows)
    about = machine()
    print(f"\n{about['cpus']} CPUs, Python {about['python']}, load {about['load_1m']} at the end")


async def _measured(name: str, bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Return a cell's rows; one that fails is a row that says so, and the rest go on."""
    try:
        return await CELLS[name](bootstrap, quick=quick)
    except Exception as error:  # noqa: BLE001 - a benchmark reports, whatever it was
        traceback.print_exc()
        what = f"failed: {type(error).__name__}"
        return [Measurement(name, "failed", what, None, [], 0)]


if __name__ == "__main__":
    main()
