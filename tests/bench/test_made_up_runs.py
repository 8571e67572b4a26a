"""The store that the app is measured on is made through the same door as any other."""

from __future__ import annotations

from pathlib import Path

from app.bench.benchmarks.made_up_runs import fill
from app.bench.experiments.findings import findings_of
from app.bench.experiments.samples import sample_of
from app.bench.store import RunFilter, Store
from backends.settings import Settings


def test_it_has_so_many_runs_in_experiments_and_chats(tmp_path: Path) -> None:
    store = Store.open(Settings(data_dir=tmp_path))
    filled = fill(store, 600)
    assert store.count(RunFilter(visitor="local")) == filled.runs == 600
    large = store.experiment(filled.large_experiment, "local")
    assert large is not None
    samples = store.samples(large.id)
    assert (len(large.plan.setups), len(samples)) == (6, 300)
    record = store.run(samples.run_ids[0], "local")
    assert record is not None
    assert sample_of(record) == samples[0]
    found = findings_of(large, samples)
    assert all(setup.measured("tpot_ns") for setup in found.setups)
    assert store.count(RunFilter(visitor="local", purpose="chat")) == 150
    store.close()
