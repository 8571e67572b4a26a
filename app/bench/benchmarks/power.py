"""How often an experiment finds a slow-down that is there, and one that is not: simulated from the
pair-to-pair spread that is measured here, on one setup against itself."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from app.bench.benchmarks.experiments_here import conducted_here
from app.bench.benchmarks.intervals import share_interval
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.compare import PAIRS_FOR_A_VERDICT, paired_ratio
from app.bench.experiments.early_stop import PAIRS_BEFORE_A_STOP
from app.bench.experiments.plan import CONFIDENCE_WITH_LOOKS, Plan, PlannedSetup
from app.bench.figures import tpot
from app.bench.record import RunRecord
from backends.errors import DynoError
from backends.setup import Setup

PAIRS = 40
SLOW_DOWN = 1.03
POWER = Target("power", "share", "higher", bar=0.9)
FALSE_ALARM = Target("false_alarm", "share", "lower", bar=0.055)
SPREAD = Target("pair_spread", "of log TPOT ratio", "lower")
TARGETS = (POWER, FALSE_ALARM, SPREAD)
MOST_PAIRS = 160
_PROMPTS = 8  # of the workload short-chat


def measure(console: Console, model: str, simulations: int) -> list[BenchmarkRecord]:
    """Power and false alarms of 40 pairs at 95 %, with the spread that they are simulated from."""
    logs = _measured_logs(console, model)
    rng = np.random.default_rng(0)
    found = found_share(logs, math.log(SLOW_DOWN), simulations, rng)
    wrong = found_share(logs, 0.0, simulations, rng)
    spread = float(np.std(logs, ddof=1))
    note = (
        f"{simulations:,} simulated experiments of {PAIRS} pairs, drawn from {len(logs)} measured "
        f"ones with spread {spread:.4f}"
    )
    return [
        POWER.measured(
            found / simulations,
            n=simulations,
            interval=share_interval(found, simulations),
            reason=f"a planted slow-down of {SLOW_DOWN - 1:.0%}; {note}",
        ),
        FALSE_ALARM.measured(
            wrong / simulations,
            n=simulations,
            interval=share_interval(wrong, simulations),
            reason=f"identical setups; {note}",
        ),
        SPREAD.measured(spread, n=len(logs), reason="standard deviation, the bundled plan's pairs"),
    ]


def found_share(
    logs: NDArray[np.float64], planted: float, simulations: int, rng: np.random.Generator
) -> int:
    """In how many simulated experiments a difference is called proven.

    Each draws 40 of the measured log ratios, each with either sign: of two identical setups neither
    is the first. `planted` is added to all.
    """
    found = 0
    for _ in range(simulations):
        drawn = rng.choice(logs, PAIRS) * rng.choice((-1.0, 1.0), PAIRS) + planted
        ratios = np.exp(drawn).tolist()
        found += paired_ratio(ratios, [1.0] * PAIRS).proven
    return found


def early_stop_false_alarms(
    spread: float,
    percent: float,
    step: int,
    simulations: int,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE_WITH_LOOKS,
) -> float:
    """How often identical setups are called different by an experiment that ends when the interval
    is within ± `percent`, looked at after every `step` pairs, at the latest after 160.

    Log ratios are normal with a standard deviation of `spread`. One figure; several are corrected
    and err less.
    """
    from scipy.special import stdtrit

    counts = np.arange(step, MOST_PAIRS + 1, step)
    drawn = rng.normal(0, spread, (simulations, MOST_PAIRS))
    means = np.cumsum(drawn, axis=1)[:, counts - 1] / counts
    squares = np.cumsum(drawn**2, axis=1)[:, counts - 1]
    variances = (squares - counts * means**2) / (counts - 1)
    halves = stdtrit(counts - 1, (1 + confidence) / 2) * np.sqrt(variances / counts)
    is_end = (np.expm1(halves) <= percent / 100) & (counts >= PAIRS_BEFORE_A_STOP)
    is_end[:, -1] = True
    ends = is_end.argmax(axis=1)
    each = np.arange(simulations)
    return float(np.mean(np.abs(means[each, ends]) > halves[each, ends]))


def _measured_logs(console: Console, model: str) -> NDArray[np.float64]:
    """Log ratios of TPOT, a setup against itself; as they are, not centred."""
    same = Setup(model=model)
    plan = Plan(
        name="The same setup twice",
        setups=(PlannedSetup(label="A", setup=same), PlannedSetup(label="B", setup=same)),
        repeats=math.ceil(PAIRS / _PROMPTS),
    )
    with conducted_here() as conduct:
        records = conduct(plan, console).records
    times: dict[tuple[int, int, int], dict[int, float]] = {}
    for record in records:
        value = tpot(record).value
        if value is not None and record.experiment and record.experiment.round:
            times.setdefault(record.experiment.pair, {})[record.experiment.setup] = float(value)
    disturbed = _disturbed(records)
    if disturbed:
        console.print(f"{disturbed} runs were disturbed and made again.", highlight=False)
    logs = [math.log(one[1] / one[0]) for one in times.values() if len(one) == 2]
    if len(logs) < PAIRS_FOR_A_VERDICT:
        raise DynoError("Too few pairs were measured.", "Look at what failed.")
    return np.asarray(logs)


def _disturbed(records: list[RunRecord]) -> int:
    return sum(bool(record.disturbed) for record in records)
