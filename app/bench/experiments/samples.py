"""What comparisons need of an experiment's runs, without their raw stamps. Values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from app.bench.figures import metric_named
from app.bench.metric import Better, Unit
from app.bench.record import ExperimentPlace, RunRecord, RunStatus

# Every metric of which a setup has a median, in the order in which they are shown.
MEDIANS = (
    "ttft_ns",
    "tpot_ns",
    "e2e_ns",
    "decode_tokens_per_second",
    "peak_memory_bytes",
    "cost_dollars",
    "cost_per_million_tokens",
)


@dataclass(frozen=True, slots=True)
class RunSample:
    """One run of an experiment. `values`: the metrics of `MEDIANS` that were measured, in their own
    units; `reasons` says of the others why they were not. `error` is what a failed run said."""

    run_id: str
    created_at: dt.datetime
    place: ExperimentPlace
    status: RunStatus
    error: str
    disturbed: str
    contended: bool
    warm: bool
    prompt_tokens: int | None
    output_tokens: int | None
    values: Mapping[str, float]
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetupFigure:
    """A figure of a setup that no single run has: of quality, of energy. `low` and `high` are its
    95 % interval over `n` samples; None, like `value`, where `reason` says why."""

    metric: str
    title: str
    unit: Unit
    better: Better
    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PassResult:
    """What one pass found: the figures of each setup, by its index in the plan."""

    name: str
    figures: Mapping[int, tuple[SetupFigure, ...]]


def sample_of(record: RunRecord) -> RunSample:
    """The sample of a run that belongs to an experiment."""
    assert record.experiment is not None
    figures = [metric_named(name)(record) for name in MEDIANS]
    usage = record.usage
    return RunSample(
        run_id=record.id,
        created_at=record.created_at,
        place=record.experiment,
        status=record.status,
        error=record.error.message if record.error else "",
        disturbed=record.disturbed,
        contended=record.contended,
        warm=record.warm,
        prompt_tokens=usage.prompt_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        values={one.name: float(one.value) for one in figures if one.value is not None},
        reasons={one.name: one.reason for one in figures if one.value is None},
    )
