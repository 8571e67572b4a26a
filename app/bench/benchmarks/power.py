"""How often `check` finds a slow-down that is there, and one that is not.

Simulated from how far two starts of one and the same version lie apart, measured here, and judged
by check's own decision.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from app.bench.benchmarks import early_ends
from app.bench.benchmarks.early_ends import EARLY_STOP
from app.bench.benchmarks.engines import interleaved
from app.bench.benchmarks.intervals import share_interval
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.experiments.check import TIMES, CheckLine, Moved, judged, paired
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.starts import Start, Version, one_start, samples_of, this_version
from app.bench.experiments.statistics import counted_runs
from app.bench.experiments.workloads import load_workload
from backends.errors import DynoError
from backends.settings import get_settings
from backends.setup import Setup

PAIRS = 40
SLOW_DOWN = 1.03
POWER = Target("power", "share", "higher", bar=0.9)
FALSE_ALARM = Target("false_alarm", "share", "lower", bar=0.055)
SPREAD = Target("pair_spread", "of log TPOT ratio", "lower")
_AT_WORST = 2_000  # simulations
TARGETS = (POWER, FALSE_ALARM, SPREAD, EARLY_STOP)


def measure(
    console: Console, model: str, simulations: int, measured_pairs: int
) -> list[BenchmarkRecord]:
    """Power and false alarms of a check of 40 pairs of starts, with what they are drawn from; and
    false alarms of experiments that end early."""
    logs = _measured_logs(console, model, measured_pairs)
    rng = np.random.default_rng(0)
    found = found_in(logs, simulations, rng)
    wrong = sum(
        any(line.differs for line in lines) for lines in simulated(logs, 0.0, simulations, rng)
    )
    spread, *ends = spread_of(logs[:, TIMES.index("tpot_ns")].tolist())
    # A few pairs tell the spread but roughly: how much hangs on that belongs beside the figure.
    at_worst = found_in(logs * ends[1] / spread, _AT_WORST, rng) / _AT_WORST
    note = (
        f"{simulations:,} simulated checks of TTFT, TPOT and E2E over {PAIRS} pairs of starts, "
        f"drawn from {len(logs)} measured ones with a spread of TPOT of {spread:.4f}"
    )
    return [
        POWER.measured(
            found / simulations,
            n=simulations,
            interval=share_interval(found, simulations),
            reason=f"all three {SLOW_DOWN - 1:.0%} slower, and one at least called so; {note}; "
            f"{at_worst:.2f} if starts spread as far as the upper end of that allows",
        ),
        FALSE_ALARM.measured(
            wrong / simulations,
            n=simulations,
            interval=share_interval(wrong, simulations),
            reason=f"the same version, and one of the three called different; {note}",
        ),
        SPREAD.measured(
            spread,
            n=len(logs),
            interval=(ends[0], ends[1]),
            reason="standard deviation between pairs of starts",
        ),
        early_ends.measure(),
    ]


def found_in(logs: NDArray[np.float64], simulations: int, rng: np.random.Generator) -> int:
    """In how many simulated checks the planted slow-down is called one."""
    checks = simulated(logs, math.log(SLOW_DOWN), simulations, rng)
    return sum(any(line.verdict == "over" for line in lines) for lines in checks)


def simulated(
    logs: NDArray[np.float64], planted: float, simulations: int, rng: np.random.Generator
) -> Iterator[list[CheckLine]]:
    """What `check --fail-if-slower 0%` would say of so many checks of 40 pairs each.

    `logs` [pairs, TIMES] were measured. Each check draws 40 pairs, the figures of a pair together,
    each with either sign: of one version and itself neither is the first. `planted` is added.
    """
    bounds = dict.fromkeys(TIMES, 0.0)
    for _ in range(simulations):
        drawn = logs[rng.integers(len(logs), size=PAIRS)]
        signed = drawn * rng.choice((-1.0, 1.0), size=(PAIRS, 1)) + planted
        moved = [Moved("", name, tuple(signed[:, i])) for i, name in enumerate(TIMES)]
        yield judged(moved, bounds, is_paired=True)


def _measured_logs(console: Console, model: str, pairs: int) -> NDArray[np.float64]:
    """How far this version lies from itself, [pairs, TIMES]; as it is, not centred."""
    plan = Plan(name="The same version twice", setups=(PlannedSetup(setup=Setup(model=model)),))
    workload = load_workload(plan.workload)
    settings = get_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=settings.data_dir) as folder:
        both = [this_version(Path(folder) / name) for name in ("one", "other")]
        made: dict[Version, list[Start]] = {version: [] for version in both}
        for number, order in enumerate(interleaved(both, pairs)):
            console.print(f"{number} of {pairs} pairs of starts", highlight=False)
            for version in order:
                made[version].append(one_start(version, plan, workload, number))
        runs = [samples_of(version, made[version], settings) for version in both]
    counted = [[counted_runs(0, samples) for samples in starts] for starts in runs]
    logs = [moved.logs for moved in paired("", counted[0], counted[1], TIMES)]
    if any(len(found) < pairs for found in logs):
        raise DynoError("A start has made no run that counts.", "Look at what failed.")
    return np.asarray(logs).T


def spread_of(logs: Sequence[float]) -> tuple[float, float, float]:
    """Standard deviation with its 95 % interval, for normal values (by chi squared)."""
    from scipy.stats import chi2

    n = len(logs)
    spread = float(np.std(logs, ddof=1))
    low, high = (spread * math.sqrt((n - 1) / chi2.ppf(q, n - 1)) for q in (0.975, 0.025))
    return spread, low, high
