"""What an experiment costs beside what it plans: everything that is no run, warm-up or load."""

from __future__ import annotations

from rich.console import Console

from app.bench.benchmarks.experiments_here import conducted_here
from app.bench.benchmarks.intervals import mean_interval
from app.bench.benchmarks.records import BenchmarkRecord, Target
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.progress import seconds_of
from backends.setup import Setup

EXPERIMENT_OVERHEAD = Target("experiment_overhead", "share", "lower", bar=0.03)
TARGETS = (EXPERIMENT_OVERHEAD,)


def measure(console: Console, model: str, repeats: int) -> list[BenchmarkRecord]:
    """(time of the experiment − time its runs held the device) / time of the experiment.

    Runs that were made again are not planned, so their time is overhead.
    """
    plan = Plan(
        name="Two widths",
        setups=(
            PlannedSetup(label="fp32", setup=Setup(model=model)),
            PlannedSetup(label="bf16", setup=Setup(model=model, weights="bf16")),
        ),
        repeats=2,
    )
    shares, again = [], 0
    with conducted_here() as conduct:
        for _ in range(repeats):
            done = conduct(plan, console)
            first = [run for run in done.records if run.experiment and run.experiment.attempt == 1]
            again += len(done.records) - len(first)
            shares.append(1 - sum(map(seconds_of, first)) / done.seconds)
    mean, low, high = mean_interval(shares)
    runs = len(done.records)
    note = f"experiments of {runs} runs of {plan.output_tokens} tokens; {again} were made again"
    return [EXPERIMENT_OVERHEAD.measured(mean, n=repeats, interval=(low, high), reason=note)]
