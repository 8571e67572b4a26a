"""The exported experiment that a check holds this version against."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.workloads import Workload
from app.bench.record import RunRecord
from backends.errors import DynoError
from backends.request import Message

FORMAT = "llm-dyno-experiment"
_CONVERSATIONS = TypeAdapter(tuple[tuple[Message, ...], ...])
_RECORDS = TypeAdapter(tuple[RunRecord, ...])


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was planned, what was asked, and every run that was made of it."""

    experiment: Experiment
    workload: Workload
    records: tuple[RunRecord, ...]


def read_baseline(path: Path) -> Baseline:
    """Raises `DynoError` for a file that is no exported experiment, or was changed since."""
    try:
        told = json.loads(path.expanduser().read_bytes())
        if told["format"] != FORMAT:
            raise ValueError(told["format"])
        experiment = Experiment.model_validate(told["experiment"])
        conversations = _CONVERSATIONS.validate_python(told["workload"]["conversations"])
        workload = Workload(told["workload"]["name"], conversations)
        records = _RECORDS.validate_python(told["records"])
    except OSError as error:
        raise DynoError(
            f"The baseline {path} cannot be read ({error.strerror or error}).", "Name another."
        ) from error
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise DynoError(
            f"{path} is no exported experiment that this version can read.",
            f"Make one: python -m app.bench export ID --json {path.name}",
        ) from error
    if workload.digest != experiment.workload_digest:
        raise DynoError(f"The prompts in {path} are not those of its runs.", "Export it again.")
    return Baseline(experiment, workload, records)
