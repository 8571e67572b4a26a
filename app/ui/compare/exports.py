"""An experiment as files: its runs, its report, and itself. Each is made when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from app.bench.experiments.archive import export_json
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.recommend import recommend
from app.bench.experiments.report import html, recommended, witnesses
from app.bench.experiments.run_table import runs_csv, runs_parquet
from app.bench.experiments.shelf import WorkloadShelf
from app.bench.store import Store
from app.ui.compare.reading import findings
from app.ui.compare.recommend_panel import Asked, asked
from app.ui.server import get_server


@dataclass(frozen=True, slots=True)
class Export:
    """A kind of file, and how one is made of an experiment."""

    title: str
    ending: str
    mime: str
    about: str
    make: Callable[[Experiment, Store, Asked | None], str | bytes]


def _report(experiment: Experiment, store: Store, asked_for: Asked | None) -> str:
    """With the recommendation that the page shows."""
    found = findings(experiment, store)
    blocks = []
    if asked_for is not None:
        wish, limits = asked_for
        blocks = [recommended(recommend(found, limits, wish), found)]
    return html(found, witnesses(store, found), blocks)


def _archive(experiment: Experiment, store: Store, _: Asked | None) -> str:
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
        lambda experiment, store, _: "".join(runs_csv(experiment, store.samples(experiment.id))),
    ),
    Export(
        "Runs (Parquet)",
        "parquet",
        "application/vnd.apache.parquet",
        "The same with typed columns, for pandas, Polars or DuckDB.",
        lambda experiment, store, _: runs_parquet(experiment, store.samples(experiment.id)),
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
    asked_for = asked(experiment.id)  # now: the file is made where there is no session
    st.download_button(
        export.title,
        data=lambda: export.make(experiment, store, asked_for),
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
