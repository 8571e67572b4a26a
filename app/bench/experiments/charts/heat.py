"""Setups by figures: every value as text, coloured only where a difference is proven."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.bench.experiments.figure_text import figure_text, ratio_words, scale_of, short_title
from app.bench.experiments.findings import Findings, SetupFigures
from app.bench.experiments.samples import SetupFigure
from app.bench.experiments.statistics import COMPARED, MetricRatio
from app.bench.format import missing_phrase, significant
from app.charts.style import Ink, axis, plain, setup_axis, shortened, tall_chart, wrapped

if TYPE_CHECKING:
    import plotly.graph_objects as go

_ROW_PX, _MARGINS_PX = 48, 140
_FULL_AT = 2.0  # a ratio of 4 either way has the full colour
_NOT_MEASURED = "<span style='font-size:11px'>not<br>measured</span>"
_HEADING_CHARACTERS = 10
_MANY = 6  # figures beside each other
_WORST, _PLAIN, _BEST = -1.0, 0.0, 1.0
_TINTS = {  # text of the theme is readable on all of them
    False: ((_WORST, "#F2A65E"), (-0.01, "#FCE9D6"), (0.01, "#DCE8FB"), (_BEST, "#8DB8F4")),
    True: ((_WORST, "#8F4A10"), (-0.01, "#33261B"), (0.01, "#1B2838"), (_BEST, "#1F5AA8")),
}


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One cell, in base units; `verdict` against the reference, empty where none is tested."""

    setup: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    ratio: float | None
    verdict: str
    reason: str


def heat_rows(findings: Findings) -> list[HeatRow]:
    rows = []
    for setup in findings.setups:
        for metric in _metrics(findings):
            figure, ratio = setup.figures.get(metric.metric), _ratio(findings, setup, metric.metric)
            rows.append(
                HeatRow(
                    setup=setup.label,
                    metric=metric.metric,
                    value=figure.value if figure else None,
                    low=figure.low if figure else None,
                    high=figure.high if figure else None,
                    ratio=ratio.ratio if ratio else None,
                    verdict=ratio.verdict if ratio else "",
                    reason=figure.reason if figure else "",
                )
            )
    return rows


def heat_map(findings: Findings, *, dark: bool = False) -> go.Figure | None:
    """None where no figure was measured."""
    metrics = _metrics(findings)
    if not metrics:
        return None
    setups = findings.setups
    reference = plain(shortened(setups[0].label))
    figure = tall_chart(
        f"Where does each setup differ from {reference}?",
        f"Small: times the figure of {reference}, where proven. Blue is better, "
        "orange worse; without colour: not proven or not tested",
        _MARGINS_PX + _ROW_PX * len(setups),
        dark=dark,
    )
    cells = [[_Cell.of(findings, setup, metric) for metric in metrics] for setup in setups]
    figure.add_heatmap(
        z=[[cell.tint for cell in row] for row in cells],
        x=list(range(len(metrics))),
        y=list(range(len(setups))),
        zmin=-1,
        zmax=1,
        colorscale=[[(place + 1) / 2, color] for place, color in _TINTS[dark]],
        showscale=False,
        xgap=3,
        ygap=3,
        customdata=[[cell.hover for cell in row] for row in cells],
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=True,
    )
    size = 13 if len(metrics) <= _MANY else 11
    notes = [
        {
            "x": x,
            "y": y,
            "text": f"{cell.value}<br><span style='font-size:11px'>{cell.times}</span>",
            "showarrow": False,
            "font": {"size": size, "color": Ink.of(dark).text},
        }
        for y, row in enumerate(cells)
        for x, cell in enumerate(row)
    ]
    figure.update_layout(
        annotations=notes,  # at once: one by one each would be checked with all before it
        xaxis=axis(
            "",
            dark=dark,
            grid=False,
            showline=False,
            side="top",
            tickmode="array",
            tickvals=list(range(len(metrics))),
            ticktext=[_heading(findings, metric) for metric in metrics],
            tickangle=0,
            ticklabeloverflow="allow",
            range=[-0.5, len(metrics) - 0.5],
            rangemode="normal",
        ),
        yaxis=setup_axis([setup.label for setup in setups], dark=dark) | {"showline": False},
    )
    figure.update_layout(margin_t=figure.layout.margin.t + 44)
    return figure


@dataclass(frozen=True, slots=True)
class _Cell:
    """What a cell says and its tint: None is no colour, 1 the best, −1 the worst. `times`: the
    ratio to the reference, empty where no difference is proven."""

    value: str
    times: str
    tint: float | None
    hover: str

    @staticmethod
    def of(findings: Findings, setup: SetupFigures, metric: SetupFigure) -> _Cell:
        own = setup.figures.get(metric.metric)
        head = f"<b>{plain(setup.label)}</b>, {plain(metric.title)}"
        if own is None or own.value is None:
            why = own.reason if own is not None else "its pass was not made"
            return _Cell(_NOT_MEASURED, "", None, f"{head}<br>{plain(missing_phrase(why))}")
        text = scale_of(own, findings.values(metric.metric)).short(own.value)
        hover = f"{head}<br>{figure_text(own)}, n = {own.n}"
        ratio = _ratio(findings, setup, metric.metric)
        if ratio is None or ratio.ratio is None:
            return _Cell(text, "", None, hover)
        if ratio.verdict not in ("better", "worse"):
            hover += f"<br>{ratio.verdict}, {ratio.n} pairs"
            return _Cell(text, "", None, hover)
        words = ratio_words(ratio.metric, ratio.ratio)
        strength = min(1.0, 0.15 + abs(math.log2(ratio.ratio)) / _FULL_AT)
        return _Cell(
            text,
            f"{significant(ratio.ratio)}×",
            strength if ratio.verdict == "better" else -strength,
            f"{hover}<br>{words}, {ratio.n} pairs",
        )


def _metrics(findings: Findings) -> list[SetupFigure]:
    """What is compared, and what passes found; decode speed is TPOT turned over."""
    twice = {"decode_tokens_per_second", "cost_per_million_tokens"}
    found = [one for one in findings.metrics() if one.metric not in twice]
    return sorted(found, key=lambda one: one.metric not in COMPARED)


def _ratio(findings: Findings, setup: SetupFigures, metric: str) -> MetricRatio | None:
    ratios = findings.conclusion.setups[setup.index].ratios
    return next((ratio for ratio in ratios if ratio.metric == metric), None)


def _heading(findings: Findings, metric: SetupFigure) -> str:
    """Over several lines where it is long; a price says of how much it is."""
    scale = scale_of(metric, findings.values(metric.metric))
    title = f"Cost {scale.unit.removeprefix('$ ')}" if scale.is_money else short_title(metric)
    return wrapped(plain(title), _HEADING_CHARACTERS)
