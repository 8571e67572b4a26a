"""The Pareto chart with its axes, and the runs of the setup whose point was clicked or that was
chosen beside it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.bench.experiments.charts import (
    WITHOUT_DATA,
    axes,
    default_axes,
    pareto_chart,
    pareto_rows,
)
from app.bench.experiments.findings import Findings
from app.bench.store import Store
from app.ui.colors import is_dark_theme
from app.ui.compare.chart_box import draw_chart
from app.ui.compare.setup_runs import draw_setup_runs


@st.fragment
def draw_pareto(findings: Findings, store: Store, visitor: str) -> None:
    """A fragment: another axis redraws this and nothing else."""
    defaults = default_axes(findings)
    if defaults is None:
        st.caption(WITHOUT_DATA["pareto"])
        return
    x, y = _chosen_axes(findings, defaults)
    id_ = findings.experiment.id
    selection = draw_chart(
        pareto_chart(findings, x, y, dark=is_dark_theme()),
        lambda: pareto_rows(findings, x, y),
        WITHOUT_DATA["pareto"],
        f"pareto-{id_}-{x}-{y}",
        can_select=True,
    )
    index = _chosen_setup(findings, _clicked(selection))
    if index is not None:
        draw_setup_runs(findings, index, store, visitor)


def _chosen_axes(findings: Findings, defaults: tuple[str, str]) -> tuple[str, str]:
    offered = axes(findings)
    titles = {one.metric: one.title for one in offered}
    id_ = findings.experiment.id
    with st.container(horizontal=True):
        chosen = [
            st.selectbox(
                f"{which} axis",
                list(titles),
                index=list(titles).index(default),
                format_func=titles.__getitem__,
                key=f"pareto-{which}-{id_}",
                width=280,
            )
            for which, default in zip(("Horizontal", "Vertical"), defaults, strict=True)
        ]
    return chosen[0], chosen[1]


def _chosen_setup(findings: Findings, clicked: int | None) -> int | None:
    """Whose runs to show; a click on a point chooses its setup, a list does without a mouse."""
    chosen, last_click = (f"pareto-{what}-{findings.experiment.id}" for what in ("runs", "click"))
    if clicked is not None and clicked != st.session_state.get(last_click):
        st.session_state[chosen] = clicked
    st.session_state[last_click] = clicked
    return st.selectbox(
        "Runs of",
        range(len(findings.setups)),
        index=None,
        format_func=lambda index: findings.setups[index].label,
        placeholder="Click a point, or choose a setup",
        key=chosen,
        width=360,
    )


def _clicked(selection: Any) -> int | None:
    points = selection["selection"]["points"] if selection is not None else []
    for point in points:
        index = point.get("customdata")
        index = index[0] if isinstance(index, list) else index
        if isinstance(index, int):
            return index
    return None
