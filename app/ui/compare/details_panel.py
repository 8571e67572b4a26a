"""The other charts of an experiment, one at a time, with the figure that they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.bench.experiments import charts
from app.bench.experiments.charts import WITHOUT_DATA, ChartName
from app.bench.experiments.figure_text import short_title
from app.bench.experiments.findings import Findings
from app.bench.experiments.samples import MEDIANS
from app.ui.colors import is_dark_theme
from app.ui.compare.chart_box import draw_chart

TITLES: dict[ChartName, str] = {
    "ratios": "Against the reference",
    "heat": "All figures",
    "distribution": "Spread of the runs",
    "lengths": "Length of the prompt",
    "timeline": "Over time",
}
_OF_ONE_METRIC = ("distribution", "lengths", "timeline")


@st.fragment
def draw_details(findings: Findings) -> None:
    """A fragment: another chart redraws this and nothing else."""
    id_ = findings.experiment.id
    chosen = st.segmented_control(
        "Chart",
        list(TITLES),
        default="ratios",
        format_func=TITLES.__getitem__,
        required=True,
        key=f"details-{id_}",
        label_visibility="collapsed",
    )
    name = chosen
    metric = _metric(findings) if name in _OF_ONE_METRIC else None
    figure, rows = _chart(name, findings, metric)
    draw_chart(figure, rows, WITHOUT_DATA[name], "-".join(filter(None, (name, metric, id_))))


def _metric(findings: Findings) -> str:
    """Which figure of the runs: those of other passes have no runs."""
    offered = {one.metric: short_title(one) for one in findings.metrics() if one.metric in MEDIANS}
    return str(
        st.segmented_control(
            "Figure",
            list(offered),
            default=next(iter(offered), None),
            format_func=lambda name: offered.get(name, name),
            required=True,
            key=f"details-metric-{findings.experiment.id}",
            label_visibility="collapsed",
        )
    )


def _chart(
    name: ChartName, findings: Findings, metric: str | None
) -> tuple[Any, Callable[[], Sequence[Any]]]:
    """The figure, and a function that gives the rows behind it."""
    dark = is_dark_theme()
    if metric is None:
        if name == "heat":
            return charts.heat_map(findings, dark=dark), lambda: charts.heat_rows(findings)
        return charts.ratio_chart(findings, dark=dark), lambda: charts.ratio_rows(findings)
    if name == "distribution":
        figure = charts.distribution_chart(findings, metric, dark=dark)
        return figure, lambda: charts.distribution_rows(findings, metric)
    if name == "lengths":
        figure = charts.length_chart(findings, metric, dark=dark)
        return figure, lambda: charts.length_rows(findings, metric)
    figure = charts.timeline_chart(findings, metric, dark=dark)
    return figure, lambda: charts.timeline_rows(findings, metric)
