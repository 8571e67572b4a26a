"""How a figure grows with the length of the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.bench.experiments.charts.thin import thinned, thinning_words
from app.bench.experiments.figure_text import axis_title, scale_of, short_title
from app.bench.experiments.findings import Findings
from app.charts.colors import DASHES, faded, setup_color, setup_symbol
from app.charts.style import axis, legend_below, plain, tall_chart
from app.charts.ticks import log_axis

if TYPE_CHECKING:
    import plotly.graph_objects as go

_HEIGHT_PX = 420
_MOST_LENGTHS = 12
_LOG_FROM = 10


@dataclass(frozen=True, slots=True)
class LengthRow:
    """One run, in base units."""

    setup: str
    index: int
    prompt_tokens: int
    metric: str
    value: float


def length_rows(findings: Findings, metric: str) -> list[LengthRow]:
    table = findings.samples
    rows = []
    for setup in findings.setups:
        runs = findings.counted(setup.index)
        lengths, values = table.prompt_tokens[runs], table.values[metric][runs]
        known = ~np.isnan(lengths) & ~np.isnan(values)
        rows += [
            LengthRow(setup.label, setup.index, int(tokens), metric, value)
            for tokens, value in zip(lengths[known].tolist(), values[known].tolist(), strict=True)
        ]
    return rows


def length_chart(
    findings: Findings, metric: str = "ttft_ns", *, dark: bool = False
) -> go.Figure | None:
    """Runs as points, medians by length as lines; None where all prompts have one length."""
    rows = length_rows(findings, metric)
    lengths = sorted({row.prompt_tokens for row in rows})
    if len(lengths) < 2:
        return None
    some = next(
        setup.figures[metric] for setup in findings.setups if setup.measured(metric) is not None
    )
    values = [row.value for row in rows]
    scale = scale_of(some, values)
    points, step = thinned(rows)
    bins = _bins([row.prompt_tokens for row in rows])
    by = "length" if len(bins) == len(lengths) else f"{len(bins)} groups of lengths"
    figure = tall_chart(
        f"How does {short_title(some)} grow with the prompt?",
        f"Points are runs, lines their medians by {by}{thinning_words(step)}",
        _HEIGHT_PX,
        dark=dark,
    )
    for setup in findings.setups:
        mine = [row for row in rows if row.index == setup.index]
        if not mine:
            continue
        color, label = setup_color(setup.index, dark=dark), plain(setup.label)
        drawn = [row for row in points if row.index == setup.index]
        figure.add_scatter(
            x=[row.prompt_tokens for row in drawn],
            y=[row.value / scale.divisor for row in drawn],
            mode="markers",
            legendgroup=label,
            showlegend=False,
            marker={"symbol": setup_symbol(setup.index), "size": 5, "color": faded(color, 0.3)},
            hoverinfo="skip",
        )
        medians = _medians(mine, bins)
        figure.add_scatter(
            x=[x for x, _, _ in medians],
            y=[y / scale.divisor for _, y, _ in medians],
            mode="lines+markers",
            name=label,
            legendgroup=label,
            line={"color": color, "dash": DASHES[setup.index % len(DASHES)], "width": 2},
            marker={"symbol": setup_symbol(setup.index), "size": 8},
            customdata=[[scale.text(y), n] for _, y, n in medians],
            hovertemplate=f"<b>{label}</b>, about %{{x:.0f}} tokens<br>median %{{customdata[0]}}, "
            "n = %{customdata[1]}<extra></extra>",
        )
    title = axis_title(some, scale)
    if min(values) > 0 and max(values) / min(values) >= _LOG_FROM:
        ends = min(values) / scale.divisor * 0.93, max(values) / scale.divisor * 1.07
        y_axis = log_axis(title, *ends, dark=dark)
    else:
        y_axis = axis(title, dark=dark)
    figure.update_layout(
        xaxis=axis("Tokens of the prompt", dark=dark, grid=False, rangemode="normal"),
        yaxis=y_axis,
    )
    legend_below(figure)
    return figure


def _bins(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Each length by itself, or where there are many, groups of about equally many runs."""
    distinct = sorted(set(lengths))
    if len(distinct) <= _MOST_LENGTHS:
        return [(one, one) for one in distinct]
    edges = np.quantile(np.asarray(lengths), np.linspace(0, 1, _MOST_LENGTHS + 1))
    starts = sorted({int(edge) for edge in edges[:-1]})
    ends = [start - 1 for start in starts[1:]] + [distinct[-1]]
    return list(zip(starts, ends, strict=True))


def _medians(
    rows: Sequence[LengthRow], bins: Sequence[tuple[int, int]]
) -> list[tuple[float, float, int]]:
    """Median length, median value and number of runs in each bin that has runs."""
    found = []
    for low, high in bins:
        mine = [row for row in rows if low <= row.prompt_tokens <= high]
        if mine:
            x = float(np.median([row.prompt_tokens for row in mine]))
            found.append((x, float(np.median([row.value for row in mine])), len(mine)))
    return found
