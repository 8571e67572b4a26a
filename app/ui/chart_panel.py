"""One chart at a time under the columns, full width, with its data to download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from app.bench.conversation import Conversation
from app.bench.export import rows_csv
from app.ui.colors import is_dark_theme
from backends.settings import ROOT

if TYPE_CHECKING:
    from app.ui.charts import ChartName

_TITLES = {
    "race": "Tokens over time",
    "times": "TTFT and total",
    "memory": "Memory",
    "cost": "Cost",
}


def draw_charts(conversation: Conversation) -> None:
    """The charts of a conversation; nothing before its first answer."""
    if not any(turn.runs for turn in conversation.turns):
        return
    chosen = st.segmented_control(
        "Chart",
        list(_TITLES),
        default="race",
        format_func=_TITLES.__getitem__,
        required=True,
        key="chart",
        label_visibility="collapsed",
    )
    name = cast("ChartName", chosen)
    figure, rows = _chart(name, conversation)
    if figure is None:
        _without_data(name)
        return
    st.plotly_chart(figure, key=f"chart-{chosen}", config={"displayModeBar": False})
    st.download_button(
        "Data (CSV)",
        data=rows,
        file_name=f"{chosen}.csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"data-{chosen}",
    )


def _chart(name: ChartName, conversation: Conversation) -> tuple[Any, Any]:
    """The figure (None without data) and a function that makes its CSV."""
    from app.ui import chart_data, charts

    dark = is_dark_theme()
    columns = conversation.comparison.columns
    answered = [turn for turn in conversation.turns if turn.runs]
    last = answered[-1]
    in_order = [last.runs[column.key] for column in columns if column.key in last.runs]
    rows: Sequence[Any]
    every = [run for turn in conversation.turns for run in turn.runs.values()]
    if name == "race":
        rows = chart_data.race_points(last, columns)
        figure = charts.race_chart(last, columns, dark=dark)
    elif name == "times":
        rows = chart_data.turn_times(conversation, columns)
        figure = charts.ttft_total_chart(conversation, columns, dark=dark)
    elif name == "memory":
        rows = chart_data.memory_bars(in_order)
        figure = charts.memory_chart(in_order, dark=dark)
    else:
        rows = chart_data.cost_bars(every)
        figure = charts.cost_chart(every, columns, dark=dark)
    return figure, lambda: rows_csv(rows)


def _without_data(name: ChartName) -> None:
    from app.ui.charts import what_to_do

    st.caption(what_to_do(name))
    if name == "cost":
        st.page_link(ROOT / "pages/machine.py", label="Set a price", icon=":material/sell:")
