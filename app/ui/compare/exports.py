"""An experiment as files: its runs, its report, and itself. Each is made when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.running import records_of
from app.bench.export import runs_csv
from app.ui.server import get_server


def draw_exports(experiment: Experiment) -> None:
    with st.popover(
        "Export", icon=":material/download:", key="exports", on_change="rerun"
    ) as panel:
        if panel.open:
            _offered(experiment)


def _offered(experiment: Experiment) -> None:
    store = get_server().store
    _download(
        experiment,
        "Runs (CSV)",
        "csv",
        "text/csv",
        lambda: runs_csv(records_of(store, experiment)),
        "A line a run with its figures, warm-ups too.",
    )


def _download(
    experiment: Experiment,
    title: str,
    ending: str,
    mime: str,
    make: Callable[[], str | bytes],
    about: str,
) -> None:
    st.download_button(
        title,
        data=make,
        file_name=f"{_file_name(experiment)}.{ending}",
        mime=mime,
        icon=":material/download:",
        key=f"export-{ending}",
        help=about,
        on_click="ignore",
        width="stretch",
    )


def _file_name(experiment: Experiment) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", experiment.plan.name.lower()).strip("-")[:60]
    return f"{name or 'experiment'}-{experiment.id}"
