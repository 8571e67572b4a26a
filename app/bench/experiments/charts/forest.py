"""Ratios with their intervals, one row each, in groups that share a log axis: a forest plot.

(Lewis and Clarke, Forest plots: trying to see the wood and the trees, BMJ 322, 2001.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.charts.colors import setup_color, setup_symbol
from app.charts.style import MARGIN, Ink, axis, label_width, plain, shortened, tall_chart

if TYPE_CHECKING:
    import plotly.graph_objects as go

_ROW_PX, _HEADING_PX, _MARGINS_PX = 26, 34, 125
_HEADING = _HEADING_PX / _ROW_PX  # in rows
_FINE = (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2)
_COARSE = tuple(one * 10.0**power for power in range(-4, 5) for one in (1, 2, 5))
_COARSE_FROM = 4  # times that the highest end is the lowest


@dataclass(frozen=True, slots=True)
class ForestRow:
    """`index` gives the colour and the symbol; `text` stands to the right of the row."""

    index: int
    label: str
    ratio: float | None
    low: float | None
    high: float | None
    is_proven: bool
    text: str
    hover: str


def forest(
    groups: Sequence[tuple[str, Sequence[ForestRow]]],
    title: str,
    subtitle: str,
    axis_title: str,
    *,
    dark: bool,
) -> go.Figure | None:
    """None where no row has a ratio."""
    rows = [row for _, rows in groups for row in rows]
    drawn = [row for row in rows if row.ratio is not None]
    if not drawn:
        return None
    height = _MARGINS_PX + _ROW_PX * len(rows) + _HEADING_PX * len(groups)
    figure = tall_chart(title, subtitle, height, dark=dark)
    ink = Ink.of(dark)
    low, high = _span(drawn)
    left = label_width([row.label for row in rows])
    position, placed, notes = 0.0, [], []
    for heading, mine in groups:
        position += _HEADING
        notes.append(_head(heading, position - 0.5, left, dark=dark))
        for row in mine:
            placed.append((position + 0.5, row))
            position += 1
    figure.add_vline(x=1, line={"width": 1, "color": ink.quiet})
    for y, row in placed:
        if row.ratio is not None:
            _draw_row(figure, y, row, dark=dark)
        notes.append(_text_of(row, y, dark=dark))
    figure.update_layout(
        annotations=notes,  # at once: one by one each would be checked with all before it
        xaxis=axis(
            axis_title,
            dark=dark,
            type="log",
            range=[math.log10(low), math.log10(high)],
            rangemode="normal",
            **_ticks(low, high),
        ),
        yaxis=axis(
            "",
            dark=dark,
            grid=False,
            showline=False,
            tickmode="array",
            tickvals=[y for y, _ in placed],
            ticktext=[plain(shortened(row.label)) for _, row in placed],
            tickfont={"size": 12, "color": ink.text},
            range=[position + 0.2, 0],
            rangemode="normal",
            ticklabelstandoff=6,
            automargin=False,
        ),
        margin_l=left + MARGIN["l"],
        margin_r=label_width([row.text for row in rows]),
    )
    return figure


def _span(rows: Sequence[ForestRow]) -> tuple[float, float]:
    ends = [
        end for row in rows for end in (row.ratio, row.low, row.high) if end is not None and end > 0
    ]
    low, high = min(*ends, 1.0), max(*ends, 1.0)
    pad = max(1.02, (high / low) ** 0.06)
    return low / pad, high * pad


def _ticks(low: float, high: float) -> dict[str, Any]:
    offered = _COARSE if high / low > _COARSE_FROM else _FINE
    shown = [one for one in offered if low <= one <= high]
    if len(shown) < 3:
        return {"ticksuffix": "×", "nticks": 6}
    return {
        "tickmode": "array",
        "tickvals": shown,
        "ticktext": [f"{one:g}×" for one in shown],
    }


def _head(text: str, y: float, left: int, *, dark: bool) -> dict[str, Any]:
    return {
        "text": f"<b>{plain(text)}</b>",
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "xshift": -left,
        "y": y,
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": 13, "color": Ink.of(dark).text},
    }


def _text_of(row: ForestRow, y: float, *, dark: bool) -> dict[str, Any]:
    return {
        "text": plain(row.text),
        "x": 1,
        "xref": "paper",
        "xanchor": "left",
        "xshift": 10,
        "y": y,
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": 12, "color": _color(row, dark=dark)},
    }


def _color(row: ForestRow, *, dark: bool) -> str:
    return setup_color(row.index, dark=dark) if row.is_proven else Ink.of(dark).quiet


def _draw_row(figure: go.Figure, y: float, row: ForestRow, *, dark: bool) -> None:
    color = _color(row, dark=dark)
    bar: dict[str, Any] = {"visible": False}
    if row.ratio is not None and row.low is not None and row.high is not None:
        bar = {
            "type": "data",
            "symmetric": False,
            "array": [row.high - row.ratio],
            "arrayminus": [row.ratio - row.low],
            "color": color,
            "thickness": 2.5 if row.is_proven else 1.5,
            "width": 4,
        }
    figure.add_scatter(
        x=[row.ratio],
        y=[y],
        error_x=bar,
        mode="markers",
        marker={"symbol": setup_symbol(row.index), "size": 9, "color": color},
        hovertemplate=f"{row.hover}<extra></extra>",
        name=plain(row.label),
    )
