"""When an experiment knows enough: every interval is as narrow as its user asked. Pure.

Only widths are looked at, never on which side of 1 an interval lies. That still costs something,
since a width is more often too narrow than too wide where it ends the looking: how much, and what
pays for it, is in docs/decisions/0014.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.bench.experiments.statistics import Conclusion, MetricRatio

PAIRS_BEFORE_A_STOP = 12


def is_known_within(conclusion: Conclusion, percent: float, without: Collection[int] = ()) -> bool:
    """Whether each ratio of each setup has an interval within ± `percent` and 12 pairs.

    Figures that no pair has are left aside, as are the setups `without` (indices), which make no
    further runs. False where nothing is left.
    """
    ratios = [
        ratio
        for setup in conclusion.setups
        if setup.index not in without
        for ratio in setup.ratios
        if ratio.n
    ]
    return bool(ratios) and all(_is_within(one, percent / 100) for one in ratios)


def _is_within(one: MetricRatio, share: float) -> bool:
    if one.ratio is None or one.low is None or one.high is None or one.n < PAIRS_BEFORE_A_STOP:
        return False
    return one.high <= one.ratio * (1 + share) and one.low >= one.ratio * (1 - share)
