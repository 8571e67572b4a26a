"""One chart of an experiment with what goes with it: PNG, data as CSV, and a word without data."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.bench.export import rows_csv
from app.charts.colors import DARK_PAGE, LIGHT_PAGE
from app.ui.colors import is_dark_theme


def draw_chart(
    figure: Any,
    rows: Callable[[], Sequence[Any]],
    without_data: str,
    name: str,
    *,
    can_select: bool = False,
) -> Any:
    """Draw it; returns Streamlit's selection where it can be selected from. `name` is that of its
    files and its key."""
    if figure is None:
        st.caption(without_data)
        return None
    # The page's own colour and not a clear one: a PNG is looked at elsewhere, too.
    figure.update_layout(paper_bgcolor=DARK_PAGE if is_dark_theme() else LIGHT_PAGE)
    selection: Any = {"on_select": "rerun", "selection_mode": "points"} if can_select else {}
    found = st.plotly_chart(figure, key=f"chart-{name}", config=_config(name), **selection)
    st.download_button(
        "Data (CSV)",
        data=lambda: rows_csv(rows()),
        file_name=f"{_file_name(name)}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"data-{name}",
    )
    return found if can_select else None


def _config(name: str) -> dict[str, Any]:
    """A button for a PNG, and no other."""
    return {
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": _file_name(name), "scale": 2},
    }


def _file_name(name: str) -> str:
    return "llm-dyno-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
