"""An experiment as files: its runs, its report, and itself. Each is made when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from app.bench.experiments.archive import export_json
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.report import html, witnesses
from app.bench.experiments.run_table import runs_csv, runs_parquet
from app.bench.experiments.shelf import WorkloadShelf
from app.bench.store import Store
from app.ui.compare.reading import findings
from app.ui.server import get_server


@dataclass(frozen=True, slots=True)
class Export:
    """A kind of file, and how one is made of an experiment."""

    title: str
    ending: str
    mime: str
    about: str
    make: Callable[[Experiment, Store], str | bytes]


def _report(experiment: Experiment, store: Store) -> str:
    found = findings(experiment, store)
    return html(found, witnesses(store, found))


def _archive(experiment: Experiment, store: Store) -> str:
    return "".join(export_json(store, experiment, WorkloadShelf(get_server().settings)))


EXPORTS = (
    Export(
        "Report (HTML)",
        "html",
        "text/html",
        "One file with its charts; it opens without a network.",
        _report,
    ),
    Export(
        "Runs (CSV)",
        "csv",
        "text/csv",
        "A line a run with its figures, warm-ups too.",
        lambda experiment, store: "".join(runs_csv(experiment, store.samples(experiment.id))),
    ),
    Export(
        "Runs (Parquet)",
        "parquet",
        "application/vnd.apache.parquet",
        "The same with typed columns, for pandas, Polars or DuckDB.",
        lambda experiment, store: runs_parquet(experiment, store.samples(experiment.id)),
    ),
    Export(
        "Everything (JSON)",
        "json",
        "application/json",
        "Plan, prompts, full records and passes: to import on another machine, or to run again.",
        _archive,
    ),
)


def draw_exports(experiment: Experiment) -> None:
    with st.popover(
        "Export", icon=":material/download:", key="exports", on_change="rerun"
    ) as panel:
        if panel.open:
            for export in EXPORTS:
                _download(experiment, export)


def _download(experiment: Experiment, export: Export) -> None:
    store = get_server().store
    st.download_button(
        export.title,
        data=lambda: export.make(experiment, store),
        file_name=f"{_file_name(experiment)}.{export.ending}",
        mime=export.mime,
        icon=":material/download:",
        key=f"export-{export.ending}",
        help=export.about,
        on_click="ignore",
        width="stretch",
    )


def _file_name(experiment: Experiment) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", experiment.plan.name.lower()).strip("-")[:60]
    return f"{name or 'experiment'}-{experiment.id}"
