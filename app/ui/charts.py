"""The charts under a conversation, and how a page draws one with its data under it.

A title asks what the chart answers; it claims nothing, because one run of each setup proves
nothing. A chart without data is None, and `what_to_do` says how to get some.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from app.ui.chart_data import Row, chart_data_csv
from app.ui.charts_of_time import race_chart, ttft_total_chart
from app.ui.charts_of_use import cost_chart, memory_chart

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "CHART_NAMES",
    "ChartName",
    "chart_data_csv",
    "cost_chart",
    "draw_chart",
    "memory_chart",
    "race_chart",
    "ttft_total_chart",
    "what_to_do",
]

ChartName = Literal["times", "race", "memory", "cost"]
CHART_NAMES: dict[ChartName, str] = {
    "times": "Time per turn",
    "race": "Tokens over time",
    "memory": "Memory",
    "cost": "Cost",
}
_CONFIG = {"displayModeBar": False, "showTips": False}


def what_to_do(chart: ChartName) -> str:
    """What a page says where this chart has no data."""
    return {
        "times": "Send a prompt to see how long each setup takes.",
        "race": "Send a prompt to see how fast each answer grows.",
        "memory": "Not measured: no answer here has a memory reading.",
        "cost": "Set a price for this device to see what answers cost.",
    }[chart]


def draw_chart(name: ChartName, figure: go.Figure | None, rows: Sequence[Row], *, key: str) -> None:
    """Draw a chart at full width with a download of its data under it, or say how to get data."""
    import streamlit as st

    if figure is None:
        st.caption(what_to_do(name))
        return
    title = str(figure.layout.title.text)
    st.plotly_chart(figure, width="stretch", key=key, config=_CONFIG, alt=title)
    st.download_button(
        "Data of this chart (CSV)",
        data=lambda: chart_data_csv(rows),
        file_name=f"llm-dyno-{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        key=f"{key}-data",
        on_click="ignore",
    )
