"""An experiment's runs as a table with a line a run: CSV for spreadsheets, Parquet for analysis.

Made from the samples alone, so that it is quick and small for any number of runs; raw stamps are in
the JSON archive.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Iterator
from typing import Any

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.sample_table import SampleTable
from app.bench.experiments.samples import MEDIANS
from app.bench.export import defused

_COUNTS = ("setup_index", "round", "conversation", "turn", "attempt")
_FLAGS = ("contended", "warm")
_TOKENS = ("prompt_tokens", "output_tokens")


def runs_csv(experiment: Experiment, samples: SampleTable) -> Iterator[str]:
    """Line by line, in base units that the column names tell; empty where not measured."""
    names = list(_columns())
    yield _line(names)
    for row in _rows(experiment, samples):
        yield _line([defused(_cell(row[name])) for name in names])


def runs_parquet(experiment: Experiment, samples: SampleTable) -> bytes:
    """The same columns with their types; null where not measured."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in _columns().items()])
    moment = schema.get_field_index("created_at_utc")
    schema = schema.set(moment, pa.field("created_at_utc", pa.timestamp("us", tz="UTC")))
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(_rows(experiment, samples)), schema), out)
    return out.getvalue()


def _columns() -> dict[str, str]:
    """Name and Arrow type of each column, in order."""
    texts = ("experiment_id", "run_id", "created_at_utc", "setup_label", "setup_id", "model")
    return {
        **dict.fromkeys((*texts, "backend"), "string"),
        **dict.fromkeys(_COUNTS, "int64"),
        **dict.fromkeys(("worker", "status", "error", "disturbed"), "string"),
        **dict.fromkeys(_FLAGS, "bool_"),
        **dict.fromkeys(_TOKENS, "int64"),
        **dict.fromkeys(MEDIANS, "float64"),
    }


def _rows(experiment: Experiment, samples: SampleTable) -> Iterator[dict[str, Any]]:
    """In the order of the plan, warm-ups first."""
    labels, setups = experiment.plan.labels, [one.setup for one in experiment.plan.setups]
    ids = [setup.id for setup in setups]
    for run in samples.picked(samples.in_order):
        setup = run.place.setup
        yield {
            "experiment_id": experiment.id,
            "run_id": run.run_id,
            "created_at_utc": run.created_at,
            "setup_label": labels[setup],
            "setup_id": ids[setup],
            "model": setups[setup].model,
            "backend": setups[setup].backend,
            "setup_index": setup,
            "round": run.place.round,
            "conversation": run.place.conversation,
            "turn": run.place.turn,
            "attempt": run.place.attempt,
            "worker": run.place.worker,
            "status": run.status,
            "error": run.error,
            "disturbed": run.disturbed,
            "contended": run.contended,
            "warm": run.warm,
            "prompt_tokens": run.prompt_tokens,
            "output_tokens": run.output_tokens,
            **{name: run.values.get(name) for name in MEDIANS},
        }


def _cell(value: Any) -> str | int | float | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    return value if isinstance(value, str | int | float) else None


def _line(cells: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
