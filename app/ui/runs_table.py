"""The list of runs: filters, table with selection, delete with undo, exports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

import streamlit as st

from app.bench.export import runs_csv, runs_json
from app.bench.format import counted, grouped
from app.bench.record import Purpose, RunStatus
from app.bench.store import RunFilter, RunSummary, Store
from app.charts.style import THIN
from app.ui.errors import show_error
from backends.catalog import title_of
from backends.errors import DynoError

MOST_ROWS = 500
_ANY = "Any"
_DAYS = {"Any time": None, "Today": 0, "Last 7 days": 6, "Last 30 days": 29}
_FILTER_KEYS = ("runs-model", "runs-setup", "runs-status", "runs-purpose", "runs-days")
_DELETED, _GENERATION, _PROBLEM = "runs-deleted", "runs-table-generation", "runs-problem"


def draw_filters(models: Sequence[str], visitor: str | None) -> RunFilter:
    """The row of filters, and what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = st.selectbox(
            "Model", [_ANY, *models], format_func=_model_name, key="runs-model", width=210
        )
        setup = st.text_input("Setup", placeholder="Part of its name", key="runs-setup", width=210)
        status = st.selectbox("Status", [_ANY, *get_args(RunStatus)], key="runs-status", width=140)
        purpose = st.selectbox("Made by", [_ANY, *get_args(Purpose)], key="runs-purpose", width=140)
        days = st.selectbox("When", list(_DAYS), key="runs-days", width=150)
    return RunFilter(
        visitor=visitor,
        model=None if model == _ANY else model,
        setup=setup.strip() or None,
        status=None if status == _ANY else cast(RunStatus, status),
        purpose=None if purpose == _ANY else cast(Purpose, purpose),
        since=_since(_DAYS[days]),
        limit=MOST_ROWS,
    )


def clear_filters() -> None:
    for key in _FILTER_KEYS:
        st.session_state.pop(key, None)


def draw_table(runs: Sequence[RunSummary], total: int) -> list[RunSummary]:
    """The table; returns the selected runs."""
    shown = f"The newest {grouped(len(runs))} of {grouped(total)} runs; exports hold all."
    st.caption(shown if total > len(runs) else f"{counted(total, 'run')}")
    state: Any = st.dataframe(
        table_data(runs),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"runs-table-{st.session_state.get(_GENERATION, 0)}",
        height=min(36 * len(runs) + 40, 420),
        column_config=_column_config(),
        placeholder="",
        alt="Recorded runs, newest first",
    )
    return [runs[row] for row in state.selection.rows if row < len(runs)]


def table_data(runs: Sequence[RunSummary]) -> dict[str, list[object]]:
    """Columns of numbers in fixed units, so that they sort; None where not measured."""
    return {
        "When": [run.created_at for run in runs],
        "Setup": [run.label or run.setup_id for run in runs],
        "Prompt": [run.prompt_start for run in runs],
        "Status": [_status(run) for run in runs],
        "TTFT": [_scaled(run.ttft_ns, 1e6) for run in runs],
        "TPOT": [_scaled(run.tpot_ns, 1e6) for run in runs],
        "Total": [_scaled(run.e2e_ns, 1e9) for run in runs],
        "Prompt tokens": [run.prompt_tokens for run in runs],
        "Output tokens": [run.output_tokens for run in runs],
        "Memory": [_scaled(run.peak_memory_bytes, 1e6) for run in runs],
        "Cost": [
            None if run.cost_dollars is None else float(run.cost_dollars * 1_000) for run in runs
        ],
        "Model": [_model_name(run.model) for run in runs],
        "Made by": [run.purpose for run in runs],
    }


def draw_actions(
    store: Store, wanted: RunFilter, chosen: Sequence[RunSummary], visitor: str | None
) -> None:
    """Export what is filtered, delete what is chosen."""
    with st.container(horizontal=True, vertical_alignment="center"):
        everything = replace(wanted, limit=None)

        def csv() -> str:
            return runs_csv(store.records(everything))

        def raw() -> str:
            return runs_json(store.records(everything))

        _export("CSV", csv, "text/csv")
        _export("JSON", raw, "application/json")
        n = len(chosen)
        st.button(
            f"Delete {counted(n, 'run')}" if n else "Delete",
            icon=":material/delete:",
            key="runs-delete",
            disabled=not n,
            help=None if n else "Select runs in the table first.",
            on_click=_delete,
            args=(store, [run.id for run in chosen], visitor),
        )


def offer_undo(store: Store, visitor: str | None) -> None:
    """Until something else is deleted, what was deleted last can be brought back."""
    problem: DynoError | None = st.session_state.pop(_PROBLEM, None)
    if problem is not None:
        show_error(problem)
    ids: list[str] | None = st.session_state.get(_DELETED)
    if not ids:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Deleted {counted(len(ids), 'run')}.")
        st.button(
            "Undo", key="runs-undo", type="tertiary", on_click=_restore, args=(store, ids, visitor)
        )


def _export(name: str, make: Callable[[], str], mime: str) -> None:
    st.download_button(
        f"Export {name}",
        data=make,
        file_name=f"llm-dyno-runs.{name.lower()}",
        mime=mime,
        icon=":material/download:",
        key=f"runs-export-{name}",
        on_click="ignore",
    )


def _delete(store: Store, ids: list[str], visitor: str | None) -> None:
    try:
        store.delete_runs(ids, visitor)
    except DynoError as error:
        st.session_state[_PROBLEM] = error
        return
    st.session_state[_DELETED] = ids
    _forget_selection()


def _restore(store: Store, ids: list[str], visitor: str | None) -> None:
    try:
        store.restore_runs(ids, visitor)
    except DynoError as error:
        st.session_state[_PROBLEM] = error
        return
    st.session_state.pop(_DELETED, None)
    _forget_selection()


def _forget_selection() -> None:
    """A new table: the rows of the old selection are other runs now."""
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1


def _since(days: int | None) -> dt.datetime | None:
    """The start of the day `days` ago, here."""
    if days is None:
        return None
    midnight = dt.datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - dt.timedelta(days=days)


def _status(run: RunSummary) -> str:
    notes = [run.status] + ["race"] * run.contended
    if run.status == "finished" and not run.warm:
        notes.append("first of its engine")
    return ", ".join(notes)


def _model_name(model: str) -> str:
    return model if model == _ANY else title_of(model)


def _scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else value / unit


def _column_config() -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "When": st.column_config.DatetimeColumn(
            format="D MMM YY, HH:mm", timezone=st.context.timezone, width=128
        ),
        # As wide as the figures up to the memory leave room for beside the sidebar at 1400 px.
        "Setup": text(width=160),
        "Prompt": text(width=124),
        "Status": text(width=72),
        "TTFT": number("TTFT (ms)", format="%.1f", help="Time to first token", width=74),
        "TPOT": number("TPOT (ms)", format="%.2f", help="Time per output token", width=80),
        "Total": number(
            "Total (s)", format="%.2f", help="Engine free again − request accepted", width=68
        ),
        "Prompt tokens": number("In", format="%d", help="Tokens of the prompt", width=48),
        "Output tokens": number("Out", format="%d", help="Tokens of the answer", width=48),
        "Memory": number(
            "Memory (MB)", format="%.1f", help="Peak of the engine's process", width=98
        ),
        "Cost": number(f"$ per 1{THIN}000 answers", format="%.4f", help="Empty: no price was set"),
    }
