"""What two groups lost and doubled, as a row of the table."""

from bench.groups import Account
from bench.measurement import Goal, Measurement


def lost_or_doubled(cell: str, ours: Account, plain: Account, after: str) -> Measurement:
    """Return the share of the service's requests without exactly one outcome: none may be."""
    detail = {
        "service": f"{ours.lost} lost, {ours.doubled} doubled, of {ours.requests}",
        "plain loop": f"{plain.lost} lost, {plain.doubled} doubled, of {plain.requests}",
    }
    what = f"requests lost or doubled ÷ requests, after {after}; `read_committed`"
    ratios = [(ours.lost + ours.doubled) / ours.requests]
    return Measurement(
        cell, "lost-or-doubled", what, Goal("at most", 0), ratios, ours.requests, detail
    )
