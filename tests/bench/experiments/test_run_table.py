"""An experiment's runs as CSV and Parquet: the same columns, a line a run, nothing made up."""

from __future__ import annotations

import csv
import io

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import Plan, PlannedSetup
from app.bench.experiments.run_table import runs_csv, runs_parquet
from app.bench.experiments.sample_table import SampleTable
from app.bench.experiments.samples import sample_of
from app.bench.record import ExperimentPlace, RunRecord
from backends.setup import Setup
from tests.bench.samples import NOON, make_run

SETUPS = (PlannedSetup(setup=Setup()), PlannedSetup(label="=cmd()", setup=Setup(kv_cache="off")))
EXPERIMENT = Experiment(
    id="abc",
    created_at=NOON,
    updated_at=NOON,
    plan=Plan(name="Cache", setups=SETUPS),
    workload_digest="d",
)


def run(id_: str, setup: int, round_: int, **changes: object) -> RunRecord:
    place = ExperimentPlace(
        id="abc", round=round_, conversation=0, turn=0, setup=setup, worker=f"host ({setup})"
    )
    return make_run(id=id_, experiment=place, **changes)


SAMPLES = SampleTable.of(
    [
        sample_of(one)
        for one in (
            run("second", 1, 1, disturbed="other work"),
            run("first", 0, 1),
            run("failed", 0, 2, status="failed", chunks=(), usage=None),
        )
    ]
)


def test_the_lines_are_in_the_order_of_the_plan_in_base_units() -> None:
    rows = list(csv.DictReader(io.StringIO("".join(runs_csv(EXPERIMENT, SAMPLES)))))
    assert [row["run_id"] for row in rows] == ["first", "second", "failed"]
    first, second, failed = rows
    assert (first["experiment_id"], first["round"], first["ttft_ns"]) == ("abc", "1", "20000000")
    assert (first["setup_id"], first["setup_index"]) == (Setup().id, "0")
    assert (second["setup_label"], second["disturbed"]) == ("'=cmd()", "other work")
    assert (first["worker"], second["worker"]) == ("host (0)", "host (1)")
    assert (failed["ttft_ns"], failed["output_tokens"], failed["cost_dollars"]) == ("", "", "")
    assert first["created_at_utc"] == NOON.isoformat()


def test_parquet_has_the_same_columns_with_types() -> None:
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(runs_parquet(EXPERIMENT, SAMPLES)))
    assert table.column_names == next(csv.reader(runs_csv(EXPERIMENT, SAMPLES)))
    rows = table.to_pylist()
    assert rows[0]["created_at_utc"] == NOON
    assert (rows[0]["ttft_ns"], rows[0]["warm"], rows[1]["setup_label"]) == (2e7, True, "=cmd()")
    assert (rows[2]["ttft_ns"], rows[2]["output_tokens"]) == (None, None)
    types = {name: str(table.schema.field(name).type) for name in ("round", "tpot_ns", "contended")}
    assert types == {"round": "int64", "tpot_ns": "double", "contended": "bool"}


def test_an_experiment_without_runs_has_a_heading() -> None:
    empty = SampleTable.of([])
    assert len(list(runs_csv(EXPERIMENT, empty))) == 1
    assert runs_parquet(EXPERIMENT, empty)
