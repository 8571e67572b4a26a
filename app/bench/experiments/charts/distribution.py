"""How a figure spreads over a setup's runs: each run where they are few, else their shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.bench.experiments.charts.thin import MOST_POINTS
from app.bench.experiments.figure_text import Scale, axis_title, scale_of, short_title
from app.bench.experiments.findings import Findings, SetupFigures
from app.charts.colors import DASHES, faded, setup_color, setup_symbol
from app.charts.style import (
    Ink,
    axis,
    legend_below,
    plain,
    setup_axis,
    tall_chart,
)
from app.charts.ticks import log_axis

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FEW = 120  # runs of a setup that are drawn one by one
_ROW_PX, _MARGINS_PX, _HEIGHT_PX = 46, 120, 400
_GOLDEN = 0.6180339887
_LOG_FROM = 10


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One run's figure, in base units."""

    setup: str
    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class _Spread:
    """A setup with its values, scaled to the axis."""

    setup: SetupFigures
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is drawn: a figure of every setup, what it is called, and the axis that it lies on."""

    spreads: Sequence[_Spread]
    metric: str
    name: str
    scale: Scale
    x_axis: dict[str, Any]
    dark: bool

    def chart(self, subtitle: str, height_px: int) -> go.Figure:
        title = f"How does {self.name} spread over the runs of each setup?"
        return tall_chart(title, subtitle, height_px, dark=self.dark)


def distribution_rows(findings: Findings, metric: str) -> list[SampleRow]:
    return [
        SampleRow(setup.label, metric, value)
        for setup, median in _medians(findings, metric)
        for value in median
    ]


def distribution_chart(
    findings: Findings, metric: str = "ttft_ns", *, dark: bool = False
) -> go.Figure | None:
    """None where no run has the metric."""
    found = [(setup, samples) for setup, samples in _medians(findings, metric) if samples]
    if not found:
        return None
    some = found[0][0].figures[metric]
    scale = scale_of(some, [value for _, samples in found for value in samples])
    spreads = [
        _Spread(setup, [value / scale.divisor for value in samples]) for setup, samples in found
    ]
    every = [value for spread in spreads for value in spread.values]
    is_log = min(every) > 0 and max(every) / min(every) >= _LOG_FROM
    title = axis_title(some, scale)
    if is_log:
        x_axis = log_axis(title, min(every) * 0.95, max(every) * 1.05, dark=dark)
    else:
        x_axis = axis(title, dark=dark, range=_linear_range(every), rangemode="normal")
    shown = _Shown(spreads, metric, short_title(some), scale, x_axis, dark)
    few = max(len(spread.values) for spread in spreads) <= _FEW
    return _strip(shown) if few else _shares(shown)


def _medians(findings: Findings, metric: str) -> list[tuple[SetupFigures, tuple[float, ...]]]:
    return [
        (setup, median.samples)
        for setup, result in zip(findings.setups, findings.conclusion.setups, strict=True)
        for median in result.medians
        if median.metric == metric
    ]


def _linear_range(values: Sequence[float]) -> list[float]:
    pad = (max(values) - min(values)) * 0.04 or abs(max(values)) * 0.04 or 1
    return [min(values) - pad, max(values) + pad]


def _strip(shown: _Shown) -> go.Figure:
    """Each run a point; the median with its interval across them."""
    scale, dark = shown.scale, shown.dark
    figure = shown.chart(
        "Each point is a run; the upright line is the median, the bar its 95 % interval",
        _MARGINS_PX + _ROW_PX * len(shown.spreads),
    )
    ink = Ink.of(dark)
    for place, spread in enumerate(shown.spreads):
        color = setup_color(spread.setup.index, dark=dark)
        label = plain(spread.setup.label)
        figure.add_scatter(
            x=list(spread.values),
            y=[place + 0.56 * ((k * _GOLDEN) % 1 - 0.5) for k in range(len(spread.values))],
            mode="markers",
            name=label,
            marker={
                "symbol": setup_symbol(spread.setup.index),
                "size": 6,
                "color": faded(color, 0.45),
            },
            hovertemplate=f"<b>{label}</b><br>{shown.name} %{{x:.4~g}} {scale.unit}, one run"
            "<extra></extra>",
        )
        own = spread.setup.figures[shown.metric]
        if own.value is None:
            continue
        low, high = own.low, own.high
        ends = None if low is None or high is None else (high - own.value, own.value - low)
        figure.add_scatter(
            x=[own.value / scale.divisor],
            y=[place],
            mode="markers",
            marker={"symbol": "line-ns-open", "size": 30, "line": {"width": 3}, "color": ink.text},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [ends[0] / scale.divisor],
                "arrayminus": [ends[1] / scale.divisor],
                "color": ink.text,
                "thickness": 2,
                "width": 5,
            }
            if ends
            else {"visible": False},
            hovertemplate=f"<b>{label}</b><br>median {scale.with_interval(own)}<br>"
            f"n = {own.n}<extra></extra>",
        )
    names = [spread.setup.label for spread in shown.spreads]
    figure.update_layout(xaxis=shown.x_axis, yaxis=setup_axis(names, dark=dark))
    return figure


def _shares(shown: _Shown) -> go.Figure:
    """What share of a setup's runs is at most so much: the empirical distribution."""
    steps = min(201, MOST_POINTS // len(shown.spreads))
    figure = shown.chart(
        f"Share of runs at most so much, drawn at {steps} quantiles of all runs", _HEIGHT_PX
    )
    shares = np.linspace(0, 1, steps)
    for spread in shown.spreads:
        index = spread.setup.index
        label = plain(spread.setup.label)
        figure.add_scatter(
            x=np.quantile(np.asarray(spread.values), shares).tolist(),
            y=(100 * shares).tolist(),
            mode="lines",
            name=label,
            line={
                "color": setup_color(index, dark=shown.dark),
                "dash": DASHES[index % len(DASHES)],
                "width": 2,
            },
            hovertemplate=f"<b>{label}</b><br>%{{y:.3~g}} % of n = {len(spread.values)} runs have "
            f"{shown.name} of at most %{{x:.4~g}} {shown.scale.unit}<extra></extra>",
        )
    y_axis = axis("Share of runs (%)", dark=shown.dark, range=[0, 101])
    figure.update_layout(xaxis=shown.x_axis, yaxis=y_axis)
    legend_below(figure)
    return figure
