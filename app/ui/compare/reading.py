"""An experiment's findings, read and reckoned once for each state of its runs."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.findings import Findings, findings_of
from app.bench.store import RunFilter, Store


def findings(experiment: Experiment, store: Store) -> Findings:
    """What runs and passes show so far. A rerun of the page that changes nothing reads nothing."""
    mine = RunFilter(visitor=None, experiment_id=experiment.id, limit=None)
    return _findings(store, experiment, experiment.id, experiment.updated_at, store.count(mine))


# Two experiments are on screen at most. Shared between visitors, for nothing in it is changed.
@st.cache_resource(max_entries=4, show_spinner=False)
def _findings(
    _store: Store, _experiment: Experiment, id_: str, updated_at: dt.datetime, runs: int
) -> Findings:
    return findings_of(_experiment, _store.samples(id_), _store.passes(id_))
