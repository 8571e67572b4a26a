"""Ratios with their intervals, one row each, in groups that share a log axis: a forest plot.

(Lewis and Clarke, Forest plots: trying to see the wood and the trees, BMJ 322, 2001.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.charts.colors import DARK_PAGE, LIGHT_PAGE, setup_color, setup_symbol
from app.charts.style import MARGIN, Ink, axis, label_width, plain, shortened, tall_chart, with_room
from app.charts.ticks import ratios_between

if TYPE_CHECKING:
    import plotly.graph_objects as go

_ROW_PX, _HEADING_PX, _MARGINS_PX = 26, 34, 125
_HEADING = _HEADING_PX / _ROW_PX  # in rows


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


_Placed = tuple[float, ForestRow]


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
    for alike in _alike(placed):
        _draw(figure, alike, dark=dark)
    _write(figure, placed, high, dark=dark)
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
        ),
        margin_r=label_width([row.text for row in rows]),
    )
    with_room(figure, left + MARGIN["l"])
    return figure


def _span(rows: Sequence[ForestRow]) -> tuple[float, float]:
    ends = [
        end for row in rows for end in (row.ratio, row.low, row.high) if end is not None and end > 0
    ]
    low, high = min(*ends, 1.0), max(*ends, 1.0)
    pad = max(1.02, (high / low) ** 0.06)
    return low / pad, high * pad


def _ticks(low: float, high: float) -> dict[str, Any]:
    shown = ratios_between(low, high)
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
        "bgcolor": DARK_PAGE if dark else LIGHT_PAGE,  # lines pass behind it
    }


def _color(row: ForestRow, *, dark: bool) -> str:
    return setup_color(row.index, dark=dark) if row.is_proven else Ink.of(dark).quiet


def _alike(placed: Sequence[_Placed]) -> list[list[_Placed]]:
    """Rows that look the same, which a browser draws quicker as one trace than one by one."""
    found: dict[tuple[int, bool, bool], list[_Placed]] = {}
    for y, row in placed:
        if row.ratio is not None:
            has_interval = row.low is not None and row.high is not None
            found.setdefault((row.index, row.is_proven, has_interval), []).append((y, row))
    return list(found.values())


def _draw(figure: go.Figure, alike: Sequence[_Placed], *, dark: bool) -> None:
    _, first = alike[0]
    color = _color(first, dark=dark)
    bar: dict[str, Any] = {"visible": False}
    ends = [(row.ratio, row.low, row.high) for _, row in alike]
    known = [(r, low, high) for r, low, high in ends if r and low is not None and high is not None]
    if known:
        bar = {
            "type": "data",
            "symmetric": False,
            "array": [high - ratio for ratio, _, high in known],
            "arrayminus": [ratio - low for ratio, low, _ in known],
            "color": color,
            "thickness": 2.5 if first.is_proven else 1.5,
            "width": 4,
        }
    figure.add_scatter(
        x=[row.ratio for _, row in alike],
        y=[y for y, _ in alike],
        error_x=bar,
        mode="markers",
        marker={"symbol": setup_symbol(first.index), "size": 9, "color": color},
        customdata=[row.hover for _, row in alike],
        hovertemplate="%{customdata}<extra></extra>",
        name=plain(first.label),
    )


def _write(figure: go.Figure, placed: Sequence[_Placed], right: float, *, dark: bool) -> None:
    """The words beside the rows, as one trace: as annotations they take a browser far longer."""
    figure.add_scatter(
        x=[right] * len(placed),
        y=[y for y, _ in placed],
        text=["  " + plain(row.text) for _, row in placed],
        textfont={"size": 12, "color": [_color(row, dark=dark) for _, row in placed]},
        textposition="middle right",
        mode="text",
        cliponaxis=False,
        hoverinfo="skip",
    )
