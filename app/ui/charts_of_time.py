"""Charts of time: how long answers take, and how they grow. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from app.bench.conversation import Column, Conversation, Turn
from app.bench.format import duration
from app.charts.colors import DASHES, SYMBOLS, setup_color, setup_colors
from app.charts.style import (
    End,
    axis,
    bar_chart,
    heading,
    label_width,
    legend_below,
    line_chart,
    plain,
    setup_axis,
    shortened,
    spread,
    titled,
)
from app.ui.chart_data import NamedColumn, TurnTime, named, race_points, turn_times

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MS, _S = 1_000_000, 1_000_000_000
_SECONDS_FROM_NS = 2 * _S
_MOST_POINTS_A_LINE = 1_500
_MOST_DIRECT_LABELS = 5
_PLOT_WIDTH_PX, _PLOT_HEIGHT_PX = 640, 200  # of a narrow page
_PANELS = ((1, "First token"), (2, "Whole answer"))


def ttft_total_chart(
    conversation: Conversation, columns: Sequence[Column] | None = None, *, dark: bool = False
) -> go.Figure | None:
    """Time to first token and total time, side by side: lines over turns, bars for a single one."""
    columns = conversation.comparison.columns if columns is None else columns
    shown, rows = named(columns), turn_times(conversation, columns)
    if all(row.ttft_ns is None and row.total_ns is None for row in rows):
        return None
    title = titled("How long does each setup take?", any(row.contended for row in rows))
    subtitle = "Left to the first token, right to the end of the answer; less is better"
    if len({row.turn for row in rows}) == 1:
        figure = bar_chart(title, subtitle, len(rows), dark=dark)
        _draw_one_turn(figure, rows, shown, dark=dark)
    else:
        figure = line_chart(title, subtitle, dark=dark)
        _draw_turns(figure, rows, shown, dark=dark)
    return figure


def _draw_turns(
    figure: go.Figure, rows: Sequence[TurnTime], columns: Sequence[NamedColumn], *, dark: bool
) -> None:
    turns = sorted({row.turn for row in rows})
    units = [_unit(_value(row, panel) for row in rows) for panel, _ in _PANELS]
    for column in columns:
        mine = [row for row in rows if row.column_key == column.key]
        for (panel, name), (unit_ns, _) in zip(_PANELS, units, strict=True):
            values = [_value(row, panel) for row in mine]
            figure.add_scatter(
                x=[row.turn for row in mine],
                y=[None if value is None else value / unit_ns for value in values],
                name=plain(column.label),
                legendgroup=column.key,
                showlegend=panel == 1,
                mode="lines+markers",
                line=_line(column, dark=dark),
                marker={"size": 8, "symbol": SYMBOLS[column.index % len(SYMBOLS)]},
                customdata=["" if value is None else duration(value) for value in values],
                hovertemplate=f"<b>{plain(column.label)}</b><br>{name}, turn %{{x}}: "
                "%{customdata}<br>measured, n = 1<extra></extra>",
                xaxis="x" if panel == 1 else "x2",
                yaxis="y" if panel == 1 else "y2",
            )
    look: dict[str, Any] = {
        "grid": False,
        "dtick": max(1, len(turns) // 8),
        "range": [turns[0] - 0.15, turns[-1] + 0.15],
    }
    figure.update_layout(
        xaxis=axis("Turn", dark=dark, domain=[0, 0.45], **look),
        xaxis2=axis("Turn", dark=dark, domain=[0.55, 1], **look),
        yaxis=axis("", dark=dark),
        yaxis2=axis("", dark=dark, anchor="x2"),
    )
    for (_, name), (_, unit), start in zip(_PANELS, units, (0, 0.55), strict=True):
        heading(figure, f"{name} ({unit})", start, dark=dark)
    if len(columns) > _MOST_DIRECT_LABELS:
        legend_below(figure)
    else:
        _label_at_the_right(figure, rows, columns, units[1][0], dark=dark)


def _label_at_the_right(
    figure: go.Figure,
    rows: Sequence[TurnTime],
    columns: Sequence[NamedColumn],
    unit_ns: int,
    *,
    dark: bool,
) -> None:
    """Each setup's name where its line of whole answers ends."""
    last = {row.column_key: row.total_ns for row in rows if row.total_ns is not None}
    longest = max((row.total_ns or 0 for row in rows), default=0) or 1
    labelled = [column for column in columns if column.key in last]
    ends = [End(0, last[column.key] / longest, column.label) for column in labelled]
    lifts = spread(ends, 1, _PLOT_HEIGHT_PX)
    for column, lift in zip(labelled, lifts, strict=True):
        figure.add_annotation(
            x=1,
            xref="paper",
            y=last[column.key] / unit_ns,
            yref="y2",
            text=plain(shortened(column.label)),
            showarrow=False,
            xanchor="left",
            xshift=8,
            yshift=lift,
            font={"color": setup_color(column.index, dark=dark), "size": 13},
        )
    figure.update_layout(margin_r=label_width([end.label for end in ends]))


def _draw_one_turn(
    figure: go.Figure, rows: Sequence[TurnTime], columns: Sequence[NamedColumn], *, dark: bool
) -> None:
    colors = setup_colors([column.key for column in columns], dark=dark)
    titles, ranges = [], []
    for panel, name in _PANELS:
        values = [_value(row, panel) for row in rows]
        unit_ns, unit = _unit(values)
        titles.append(f"{name} ({unit})")
        ranges.append([0, max((value or 0 for value in values), default=0) / unit_ns * 1.25 or 1])
        figure.add_bar(
            x=[None if value is None else value / unit_ns for value in values],
            y=list(range(len(rows))),
            orientation="h",
            marker={"color": [colors[row.column_key] for row in rows]},
            text=["not measured" if value is None else duration(value) for value in values],
            textposition="outside",
            cliponaxis=False,
            width=0.55,
            customdata=[plain(row.setup) for row in rows],
            hovertemplate=f"<b>%{{customdata}}</b><br>{name}: %{{text}}<br>"
            "measured, n = 1<extra></extra>",
            xaxis="x" if panel == 1 else "x2",
            yaxis="y" if panel == 1 else "y2",
        )
    names = [row.setup for row in rows]
    figure.update_layout(
        xaxis=axis(titles[0], dark=dark, domain=[0, 0.47], range=ranges[0]),
        xaxis2=axis(titles[1], dark=dark, domain=[0.53, 1], anchor="y2", range=ranges[1]),
        yaxis=setup_axis(names, dark=dark),
        yaxis2=setup_axis(names, dark=dark, anchor="x2", showticklabels=False),
    )


def race_chart(turn: Turn, columns: Sequence[Column], *, dark: bool = False) -> go.Figure | None:
    """Tokens over time of one turn's answers, from the raw stamps, as steps."""
    points = race_points(turn, columns)
    if not points:
        return None
    lines = [(c, [p for p in points if p.column_key == c.key]) for c in named(columns)]
    lines = [(column, mine) for column, mine in lines if mine]
    contended = any(run.contended for run in turn.runs.values())
    figure = line_chart(
        titled("How fast does each answer grow?", contended),
        "Tokens made since the engine took the prompt; a flat start is prefill",
        dark=dark,
    )
    longest = max(point.since_accepted_ns for point in points) or 1
    most = max(point.tokens for point in points)
    unit_ns, unit = _unit([longest])
    for column, mine in lines:
        drawn = _thinned(len(mine))
        figure.add_scatter(
            x=[mine[i].since_accepted_ns / unit_ns for i in drawn],
            y=[mine[i].tokens for i in drawn],
            name=plain(column.label),
            mode="lines",
            line={**_line(column, dark=dark), "shape": "hv"},
            hovertemplate=f"<b>{plain(column.label)}</b><br>%{{y}} tokens after "
            f"%{{x:,.4~g}} {unit}<br>measured, n = 1<extra></extra>",
        )
    direct = len(lines) <= _MOST_DIRECT_LABELS
    ends = [
        End(mine[-1].since_accepted_ns / longest, mine[-1].tokens / most, column.label)
        for column, mine in lines
    ]
    lifts = spread(ends, _PLOT_WIDTH_PX, _PLOT_HEIGHT_PX)
    room_above = (24 + max(lifts)) / _PLOT_HEIGHT_PX if direct else 0.05
    figure.update_layout(
        xaxis=axis(
            f"Time since the request was accepted ({unit})",
            dark=dark,
            grid=False,
            range=[0, longest / unit_ns * 1.01],
        ),
        yaxis=axis("Tokens", dark=dark, range=[0, most * (1 + room_above)]),
    )
    if not direct:
        legend_below(figure)
        return figure
    for (column, mine), end, lift in zip(lines, ends, lifts, strict=True):
        half = label_width([column.label]) / 2 / _PLOT_WIDTH_PX
        figure.add_annotation(
            x=mine[-1].since_accepted_ns / unit_ns,
            y=mine[-1].tokens,
            text=plain(shortened(column.label)),
            showarrow=False,
            xanchor="left" if end.x < half else "right" if end.x > 1 - half else "center",
            yanchor="bottom",
            yshift=1 + lift,
            font={"color": setup_color(column.index, dark=dark), "size": 13},
        )
    return figure


def _value(row: TurnTime, panel: int) -> int | None:
    return row.ttft_ns if panel == 1 else row.total_ns


def _unit(values_ns: Iterable[int | None]) -> tuple[int, str]:
    longest = max((value or 0 for value in values_ns), default=0)
    return (_S, "s") if longest >= _SECONDS_FROM_NS else (_MS, "ms")


def _line(column: NamedColumn, *, dark: bool) -> dict[str, Any]:
    return {
        "color": setup_color(column.index, dark=dark),
        "width": 2,
        "dash": DASHES[column.index % len(DASHES)],
    }


def _thinned(points: int) -> list[int]:
    """Positions to draw of a long line: evenly spaced, with the first and the last."""
    step = max(1, -(-points // _MOST_POINTS_A_LINE))
    return sorted({*range(0, points, step), points - 1})
