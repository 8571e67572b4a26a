"""The exported experiment that a check holds this version against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.bench.experiments.archive import MAX_BYTES
from app.bench.experiments.archive_file import check, records
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.samples import RunSample, sample_of
from app.bench.experiments.workloads import Workload
from backends.errors import DynoError


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was planned, what was asked, the runs that were made of it, and on which hardware."""

    experiment: Experiment
    workload: Workload
    samples: tuple[RunSample, ...]
    hardware: tuple[str, ...]


def read_baseline(path: Path) -> Baseline:
    """Raises `DynoError` for a file that is no exported experiment, or has lost its prompts."""
    try:
        with path.expanduser().open("rb") as file:
            checked = check(file, MAX_BYTES)
            file.seek(0)
            id_ = checked.experiment.id
            kept = records(file, MAX_BYTES, checked.experiment.visitor, id_, id_)
            samples = tuple(sample_of(record) for record in kept)
    except OSError as error:
        raise DynoError(
            f"The baseline {path} cannot be read ({error.strerror or error}).",
            f"Make one: python -m app.bench export ID --json {path.name}",
        ) from error
    if checked.workload is None:
        raise DynoError(
            f"{path} does not hold its prompts: they were gone when it was exported.",
            "Export another experiment.",
        )
    return Baseline(checked.experiment, checked.workload, samples, tuple(checked.hardware))
