"""The runs of one setup of an experiment, as a table from which one can be opened."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.bench.experiments.findings import Findings
from app.bench.experiments.order import WARM_UP_ROUND
from app.bench.experiments.samples import RunSample
from app.bench.format import grouped
from app.bench.store import Store
from app.ui.run_detail import render_run_detail

MOST_ROWS = 500


def draw_setup_runs(findings: Findings, index: int, store: Store, visitor: str) -> None:
    setup = findings.setups[index]
    table = findings.samples
    runs = [run for run, setup in enumerate(table.setups.tolist()) if setup == index]
    runs.sort(key=lambda run: table.created_at[run])
    shown = [table[run] for run in runs[:MOST_ROWS]]
    st.subheader(f"Runs of {setup.label}", anchor=False)
    if len(runs) > len(shown):
        st.caption(f"The first {grouped(len(shown))} of {grouped(len(runs))}.")
    state: Any = st.dataframe(
        table_data(findings, shown),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"setup-runs-{findings.experiment.id}-{index}",
        height=min(36 * len(shown) + 40, 320),
        column_config=_columns(),
        placeholder="",
        alt=f"Runs of {setup.label}",
    )
    rows = [row for row in state.selection.rows if row < len(shown)]
    if not rows:
        st.caption("Select a run to open it.")
        return
    run = store.run(shown[rows[0]].run_id, visitor)
    if run is None:
        st.caption("This run was deleted meanwhile.")
    else:
        render_run_detail(run, with_answer=True)


def table_data(findings: Findings, runs: list[RunSample]) -> dict[str, list[object]]:
    """In fixed units, so that columns sort; None where not measured."""
    ids = findings.samples.run_ids
    setups = {run.place.setup for run in runs}
    counted = {ids[run] for index in setups for run in findings.counted(index)}
    return {
        "When": [run.created_at for run in runs],
        "Round": [run.place.round for run in runs],
        "Prompt": [f"{run.place.conversation + 1}.{run.place.turn + 1}" for run in runs],
        "Counts": [_counts(run, counted) for run in runs],
        "TTFT": [_scaled(run, "ttft_ns", 1e6) for run in runs],
        "TPOT": [_scaled(run, "tpot_ns", 1e6) for run in runs],
        "Total": [_scaled(run, "e2e_ns", 1e9) for run in runs],
        "In": [run.prompt_tokens for run in runs],
        "Out": [run.output_tokens for run in runs],
        "Memory": [_scaled(run, "peak_memory_bytes", 1e6) for run in runs],
        "Disturbed by": [run.disturbed for run in runs],
    }


def _counts(run: RunSample, counted: set[str]) -> str:
    """Whether it is in the figures, and if not, why."""
    if run.status != "finished":
        return f"no: {run.status}"
    if run.place.round == WARM_UP_ROUND:
        return "no: warm-up"
    if run.run_id not in counted:
        return "no: made again" if run.disturbed else "no: not alone or not warm"
    return "yes, disturbed" if run.disturbed else "yes"


def _scaled(run: RunSample, metric: str, unit: float) -> float | None:
    value = run.values.get(metric)
    return None if value is None else value / unit


def _columns() -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "When": st.column_config.DatetimeColumn(
            format="D MMM YY, HH:mm:ss", timezone=st.context.timezone, width=150
        ),
        "Round": number(format="%d", width=64),
        "Prompt": text(help="Conversation and turn of the workload", width=70),
        "Counts": text("Counts", help="Whether it is in the figures", width=110),
        "TTFT": number("TTFT (ms)", format="%.1f", width=84),
        "TPOT": number("TPOT (ms)", format="%.2f", width=84),
        "Total": number("Total (s)", format="%.2f", width=80),
        "In": number("In", format="%d", help="Tokens of the prompt", width=52),
        "Out": number("Out", format="%d", help="Tokens of the answer", width=52),
        "Memory": number("Memory (MB)", format="%.1f", width=104),
    }
