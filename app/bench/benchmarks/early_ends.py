"""How often an experiment that ends when its intervals are narrow calls equal setups different.

Simulated, since nothing measured would tell: what pays for such an end is decision 0014's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from app.bench.benchmarks.intervals import share_interval
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.experiments.early_stop import PAIRS_BEFORE_A_STOP
from app.bench.experiments.plan import CONFIDENCE_WITH_LOOKS

EARLY_STOP = Target("early_stop_false_alarm", "share", "lower", bar=0.055)
PERCENT = 3.0
MOST_PAIRS = 160
_AT_ONCE = 20_000  # experiments, of 26 MB
_TO_FIND, _TO_MEASURE = 20_000, 200_000


@dataclass(frozen=True, slots=True)
class Looks:
    """A look after every `step` pairs, and pairs that spread so that about `wanted` are enough."""

    step: int
    wanted: int

    @property
    def spread(self) -> float:
        """Standard deviation of the log ratios with which ± 3 % take `wanted` pairs at 95 %."""
        return PERCENT / 100 * math.sqrt(self.wanted) / 1.96


CASES = tuple(Looks(*case) for case in product((2, 4, 8, 16), (10, 14, 20, 30, 60)))


def measure(to_find: int = _TO_FIND, to_measure: int = _TO_MEASURE) -> BenchmarkRecord:
    """False alarms in the worst case, drawn anew for it: the largest of many is too large."""
    rng = np.random.default_rng(0)
    worst = max(CASES, key=lambda case: false_alarms(case, to_find, rng))
    wrong = false_alarms(worst, to_measure, rng)
    return EARLY_STOP.measured(
        wrong / to_measure,
        n=to_measure,
        interval=share_interval(wrong, to_measure),
        reason=f"{to_measure:,} simulated experiments of two equal setups, one figure, that end "
        f"within ± {PERCENT:g} %, looked at after every {worst.step} pairs, normal log ratios of "
        f"a spread of {worst.spread:.3f}: the worst of {len(CASES)} cases",
    )


def false_alarms(
    looks: Looks,
    experiments: int,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE_WITH_LOOKS,
) -> int:
    """How many experiments with identical setups call them different, at the latest after 160
    pairs. One figure; several are corrected and err less."""
    sizes = [_AT_ONCE] * (experiments // _AT_ONCE) + [experiments % _AT_ONCE]
    return sum(_false_alarms(looks, size, rng, confidence) for size in sizes if size)


def _false_alarms(
    looks: Looks, experiments: int, rng: np.random.Generator, confidence: float
) -> int:
    from scipy.special import stdtrit

    counts = np.arange(looks.step, MOST_PAIRS + 1, looks.step)
    drawn = rng.normal(0, looks.spread, (experiments, MOST_PAIRS))
    means = np.cumsum(drawn, axis=1)[:, counts - 1] / counts
    squares = np.cumsum(drawn**2, axis=1)[:, counts - 1]
    variances = (squares - counts * means**2) / (counts - 1)
    halves = stdtrit(counts - 1, (1 + confidence) / 2) * np.sqrt(variances / counts)
    is_end = (np.expm1(halves) <= PERCENT / 100) & (counts >= PAIRS_BEFORE_A_STOP)
    is_end[:, -1] = True
    ends = is_end.argmax(axis=1)
    each = np.arange(experiments)
    return int(np.sum(np.abs(means[each, ends]) > halves[each, ends]))
