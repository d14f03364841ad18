"""What a run prints."""

from collections.abc import Sequence

from bench.measurement import Measurement

_HEAD = ("cell", "case", "ratio", "goal", "verdict", "rounds", "n", "spread")


def show(row: Measurement) -> None:
    """Print one measurement as soon as it is there."""
    ratio = "-" if row.ratio is None else f"{row.ratio:.3f}"
    goal = f" (goal {row.goal}: {row.verdict})" if row.goal else f" ({row.verdict})"
    print(f"  {row.cell}/{row.case}: {ratio}{goal}")
    print(f"    {row.what}")
    print(f"    rounds {len(row.ratios)}, n {row.n}, spread {row.spread}")
    for name, value in row.detail.items():
        print(f"    {name}: {value}")


def table(rows: Sequence[Measurement]) -> None:
    """Print all measurements under each other."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)))


def _cells(row: Measurement) -> tuple[str, ...]:
    ratio = "-" if row.ratio is None else f"{row.ratio:.3f}"
    goal = str(row.goal) if row.goal else "-"
    rounds, n = str(len(row.ratios)), str(row.n)
    return row.cell, row.case, ratio, goal, row.verdict, rounds, n, row.spread
