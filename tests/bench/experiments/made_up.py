"""Findings from figures that are written down, without records: nothing is measured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from app.bench.benchmarks.made_up_runs import SETUPS
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.findings import Findings, SetupFigures, findings_of
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.samples import PassResult, RunSample, SetupFigure
from app.bench.figures import metric_named
from app.bench.record import ExperimentPlace

NOON = dt.datetime(2026, 11, 1, 12, 0, tzinfo=dt.UTC)
MS = 1_000_000
NOISE = (1.0, 1.02, 0.99, 1.01, 0.98, 1.0, 1.01, 0.99)


def an_experiment(setups: int = 2, **changes: Any) -> Experiment:
    plan: dict[str, Any] = {"name": "Made up"} | changes.pop("plan", {})
    planned = tuple(PlannedSetup(setup=setup) for setup in SETUPS[:setups])
    fields: dict[str, Any] = {"id": "e", "created_at": NOON, "updated_at": NOON}
    fields |= {"workload_digest": "d", "state": "finished"} | changes
    return Experiment(plan=Plan(**({"setups": planned} | plan)), **fields)


def sample(setup: int, round_: int, values: Mapping[str, float], **changes: Any) -> RunSample:
    """A run that counts; rounds are a second apart."""
    fields: dict[str, Any] = {
        "run_id": f"{setup}-{round_}-{changes.get('conversation', 0)}",
        "created_at": NOON + dt.timedelta(seconds=round_ * 10 + setup),
        "place": ExperimentPlace(
            id="e", round=round_, conversation=changes.pop("conversation", 0), turn=0, setup=setup
        ),
        "status": "finished",
        "error": "",
        "disturbed": "",
        "contended": False,
        "warm": True,
        "prompt_tokens": 20,
        "output_tokens": 16,
        "values": values,
        "reasons": {},
    }
    return RunSample(**(fields | changes))


def runs(setup: int, noise: Sequence[float] = NOISE, **typical: float) -> list[RunSample]:
    """A run for each of the factors, which all figures of it are multiplied with."""
    return [
        sample(setup, index, {name: value * factor for name, value in typical.items()})
        for index, factor in enumerate(noise, 1)
    ]


def findings(
    *typical: Mapping[str, float],
    noise: Sequence[float] = NOISE,
    passes: Sequence[PassResult] = (),
    **changes: Any,
) -> Findings:
    """Of as many setups as there are mappings from metric to what is typical of it."""
    samples = [one for index, own in enumerate(typical) for one in runs(index, noise, **own)]
    return findings_of(an_experiment(len(typical), **changes), samples, passes)


def figure(
    metric: str,
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    n: int = 8,
) -> SetupFigure:
    known = metric_named(metric)
    reason = "" if value is not None else "no sensor"
    return SetupFigure(metric, known.title, known.unit, known.better, value, low, high, n, reason)


def setup_figures(index: int, *figures: SetupFigure) -> SetupFigures:
    return SetupFigures(
        index, f"setup {index}", SETUPS[index], {one.metric: one for one in figures}
    )
