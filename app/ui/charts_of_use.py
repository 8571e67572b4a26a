"""Charts of what answers use: memory and money. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.bench.conversation import Column
from app.bench.format import bytes_text, dollars_of_many
from app.bench.record import RunRecord
from app.charts.colors import MEMORY_PARTS_DARK, MEMORY_PARTS_LIGHT, setup_colors
from app.charts.style import THIN, Ink, axis, bar_chart, legend_below, plain, setup_axis, titled
from app.ui.chart_data import PART_NAMES, MemoryBar, MemoryPart, cost_bars, memory_bars

if TYPE_CHECKING:
    import plotly.graph_objects as go

_SHARE_OF_A_CHARACTER = 0.013
_PARTS: tuple[MemoryPart, ...] = tuple(PART_NAMES)


def memory_chart(records: Sequence[RunRecord], *, dark: bool = False) -> go.Figure | None:
    """What each setup's peak memory is made of, one stacked bar a run."""
    bars = memory_bars(records)
    if not bars:
        return None
    setups = list(dict.fromkeys(bar.setup for bar in bars))
    totals = {name: sum(bar.bytes for bar in bars if bar.setup == name) for name in setups}
    widest = max(totals.values())
    unit, unit_name = (10**9, "GB") if widest >= 2 * 10**9 else (10**6, "MB")
    figure = bar_chart(
        titled("What fills the memory at its peak?", any(r.contended for r in records)),
        "Each engine's own process; less is better",
        len(setups),
        dark=dark,
    )
    palette = MEMORY_PARTS_DARK if dark else MEMORY_PARTS_LIGHT
    for part in _PARTS:
        mine = [bar for bar in bars if bar.part == part]
        if not mine:
            continue
        figure.add_bar(
            x=[bar.bytes / unit for bar in mine],
            y=[setups.index(bar.setup) for bar in mine],
            orientation="h",
            name=PART_NAMES[part],
            marker={
                "color": palette["rest" if part == "peak" else part],
                "line": {"width": 1, "color": Ink.of(dark).line},
            },
            text=[_text_inside(bar, widest) for bar in mine],
            textposition="inside",
            insidetextanchor="middle",
            constraintext="none",
            textangle=0,
            textfont={"size": 12, "color": _ink_on(part, dark=dark)},
            width=0.6,
            customdata=[[plain(bar.setup), bytes_text(bar.bytes), bar.provenance] for bar in mine],
            hovertemplate="<b>%{customdata[0]}</b><br>"
            + PART_NAMES[part]
            + ": %{customdata[1]}<br>%{customdata[2]}, n = 1<extra></extra>",
        )
    for position, name in enumerate(setups):
        figure.add_annotation(
            x=totals[name] / unit,
            y=position,
            text=f"<b>{bytes_text(totals[name])}</b>",
            showarrow=False,
            xanchor="left",
            xshift=6,
        )
    figure.update_layout(
        barmode="stack",
        xaxis=axis(f"Peak memory ({unit_name})", dark=dark, range=[0, widest / unit * 1.13]),
        yaxis=setup_axis(setups, dark=dark),
    )
    if len({bar.part for bar in bars}) > 1:
        legend_below(figure)
    return figure


def cost_chart(
    records: Sequence[RunRecord], columns: Sequence[Column] = (), *, dark: bool = False
) -> go.Figure | None:
    """Cost of a thousand answers like these, by setup; None where no finished run has a price."""
    bars = cost_bars(records)
    if not bars:
        return None
    sources = "; ".join(dict.fromkeys(f"{bar.price} ({bar.price_source})" for bar in bars))
    figure = bar_chart(
        titled("What would a thousand answers like these cost?", any(r.contended for r in records)),
        plain(f"Devices at 100 % use. {sources}; less is better"),
        len(bars),
        dark=dark,
    )
    order = dict.fromkeys([*(c.key for c in columns), *(bar.column_key for bar in bars)])
    colors = setup_colors(order, dark=dark)
    figure.add_bar(
        x=[float(bar.dollars_per_1000_answers) for bar in bars],
        y=list(range(len(bars))),
        orientation="h",
        marker={"color": [colors[bar.column_key] for bar in bars]},
        text=[dollars_of_many(bar.dollars_per_1000_answers) for bar in bars],
        textposition="outside",
        cliponaxis=False,
        width=0.55,
        customdata=[[plain(bar.setup), bar.answers] for bar in bars],
        hovertemplate="<b>%{customdata[0]}</b><br>%{text} for 1 000 answers<br>"
        "derived, mean of n = %{customdata[1]}<extra></extra>",
    )
    most = max(float(bar.dollars_per_1000_answers) for bar in bars)
    figure.update_layout(
        xaxis=axis(
            f"Dollars per 1{THIN}000 answers",
            dark=dark,
            range=[0, most * 1.15 or 1],
            tickprefix="$",
            exponentformat="none",
        ),
        yaxis=setup_axis([bar.setup for bar in bars], dark=dark),
    )
    return figure


def _text_inside(bar: MemoryBar, widest: int) -> str:
    """Name and size, or the size alone, or nothing: what fits on a narrow page."""
    size = bytes_text(bar.bytes)
    for text in (f"{PART_NAMES[bar.part]} {size}", size):
        if bar.bytes / widest >= len(text) * _SHARE_OF_A_CHARACTER:
            return text
    return ""


def _ink_on(part: MemoryPart, *, dark: bool) -> str:
    strong = {"weights"} if not dark else {"activations", "compiled", "rest", "peak"}
    return "#FFFFFF" if part in strong else "#111418"
