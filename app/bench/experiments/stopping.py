"""When an experiment ends before its last run: a budget is spent, or all intervals are narrow."""

from __future__ import annotations

import math
from collections.abc import Collection

from app.bench.compare import PAIRS_FOR_A_VERDICT, PairedRatio
from app.bench.experiments.plan import Plan
from app.bench.experiments.progress import Tally
from app.bench.experiments.statistics import Conclusion, MetricRatio
from backends.engine import CancelToken

STOPPED = "It was stopped."


class StopToken(CancelToken):
    """Ends an experiment early; once `pause` was called it is "paused" then, else "stopped"."""

    def __init__(self) -> None:
        super().__init__()
        self.is_pause = False

    def pause(self) -> None:
        self.is_pause = True
        self.cancel()


def budget_spent(plan: Plan, seconds: float, tally: Tally) -> str:
    """Which budget is spent, or cannot be kept; empty while none is."""
    budget, money = plan.time_budget_seconds, plan.money_budget_dollars
    if budget is not None and seconds >= budget:
        return f"The time budget of {budget:g} s is spent."
    if money is None or not tally.runs:
        return ""
    spent = tally.dollars
    if spent is None:
        return "The money budget cannot be kept: what a run costs is not known. Set a price."
    return f"The money budget of ${money} is spent." if spent >= money else ""


def narrow_enough(conclusion: Conclusion, left_out: Collection[int], percent: float) -> str:
    """That every interval of a ratio that was measured is within ± `percent` of the ratio, over
    enough pairs for a verdict; empty while one is not. Setups that were left out (their indices)
    are not waited for.

    It looks at the width alone, never at the ratio: stopping at a difference would find one.
    """
    ratios = [
        ratio
        for setup in conclusion.setups
        if setup.index not in left_out
        for ratio in setup.ratios
        if ratio.n
    ]
    if not ratios or not all(is_narrow(ratio, percent) for ratio in ratios):
        return ""
    return f"Every interval is within ±{percent:g} %."


def is_narrow(ratio: MetricRatio | PairedRatio, percent: float) -> bool:
    """Whether the interval reaches from its middle no further than `percent` up and down, on the
    logarithmic axis on which it is symmetric."""
    if ratio.n < PAIRS_FOR_A_VERDICT or ratio.low is None or ratio.high is None:
        return False
    return math.log(ratio.high / ratio.low) / 2 <= math.log1p(percent / 100)
