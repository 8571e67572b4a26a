"""All runs by the clock: whether the machine drifted, and which runs were disturbed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.bench.experiments.charts.thin import thinned, thinning_words
from app.bench.experiments.figure_text import short_title
from app.bench.experiments.findings import Findings
from app.bench.experiments.order import WARM_UP_ROUND
from app.bench.experiments.sample_table import Floats, Integers
from app.charts.colors import faded, setup_color, setup_symbol
from app.charts.style import Ink, axis, legend_below, plain, tall_chart, with_room

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FINE = (0.8, 0.9, 1, 1.1, 1.25, 1.5)
_COARSE = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100)
_COARSE_FROM = 0.3  # decades
_HEIGHT_PX = 420
_BITS = 20  # more than any number of a conversation or a turn has
_UNITS = ((3 * 3600, 3600, "hours"), (3 * 60, 60, "minutes"), (0, 1, "seconds"))


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One run; `relative`: over the median of its setup's runs of the same prompt."""

    setup: str
    index: int
    at: dt.datetime
    metric: str
    value: float
    relative: float
    disturbed: str


def timeline_rows(findings: Findings, metric: str) -> list[TimelineRow]:
    """Warm runs that finished, also disturbed ones that were made again, by the clock."""
    return [_row(findings, metric, *one) for one in _in_order(findings, metric)]


def _in_order(findings: Findings, metric: str) -> list[tuple[int, float]]:
    """Which runs these are, by the clock, with each one's figure over the median of its likes."""
    table = findings.samples
    values = table.values[metric]
    shown = table.is_finished & table.warm & ~table.contended & (table.rounds > WARM_UP_ROUND)
    runs = np.flatnonzero(shown & (values > 0))
    asked = table.conversations[runs] << _BITS | table.turns[runs]
    _, likes = np.unique(table.setups[runs] << 2 * _BITS | asked, return_inverse=True)
    relative = values[runs] / _medians(values[runs], likes)[likes]
    moments = table.created_at[:]
    found = zip(runs.tolist(), relative.tolist(), strict=True)
    return sorted(found, key=lambda one: moments[one[0]])


def _medians(values: Floats, groups: Integers) -> Floats:
    """The median of each group of values, by its number."""
    in_order = np.argsort(groups, kind="stable")
    parts = np.split(values[in_order], np.flatnonzero(np.diff(groups[in_order])) + 1)
    return np.array([np.median(part) for part in parts if len(part)])


def _row(findings: Findings, metric: str, run: int, relative: float) -> TimelineRow:
    table = findings.samples
    setup = int(table.setups[run])
    return TimelineRow(
        setup=findings.setups[setup].label,
        index=setup,
        at=table.created_at[run],
        metric=metric,
        value=float(table.values[metric][run]),
        relative=relative,
        disturbed=table.disturbances[run],
    )


def timeline_chart(
    findings: Findings, metric: str = "tpot_ns", *, dark: bool = False
) -> go.Figure | None:
    """None under two runs."""
    runs = _in_order(findings, metric)
    if len(runs) < 2:
        return None
    drawn, step = thinned(runs)
    rows = [_row(findings, metric, *one) for one in drawn]
    disturbed = int(findings.samples.is_disturbed[[run for run, _ in runs]].sum())
    start = rows[0].at
    lasted = (findings.samples.created_at[runs[-1][0]] - start).total_seconds()
    divisor, unit = next((seconds, name) for least, seconds, name in _UNITS if lasted >= least)
    name = short_title(findings.setups[rows[0].index].figures[metric])
    crosses = f"; crosses are the {disturbed} disturbed ones" if disturbed else ""
    figure = tall_chart(
        f"Did {name} drift while the experiment ran?",
        "Each run over the median of its setup’s runs of the same prompt"
        f"{crosses}{thinning_words(step)}",
        _HEIGHT_PX,
        dark=dark,
    )
    figure.add_hline(y=1, line={"width": 1, "color": Ink.of(dark).quiet})
    for setup in findings.setups:
        color, label = setup_color(setup.index, dark=dark), plain(setup.label)
        mine = [row for row in rows if row.index == setup.index]
        if not mine:
            continue
        symbol = setup_symbol(setup.index)
        line = {"width": 1.5, "color": faded(color, 0.75)}
        look = {"size": 7, "color": faded(color, 0.75), "line": line}
        # In the legend a setup has its own symbol, however many of its runs are crosses.
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=label, marker=look | {"symbol": symbol}
        )
        for is_disturbed in (False, True):
            some = [row for row in mine if bool(row.disturbed) == is_disturbed]
            if not some:
                continue
            hover = "<br>%{customdata}" if is_disturbed else "<br>not disturbed"
            figure.add_scatter(
                x=[(row.at - start).total_seconds() / divisor for row in some],
                y=[row.relative for row in some],
                mode="markers",
                showlegend=False,
                marker=look | {"symbol": "x-thin-open" if is_disturbed else symbol},
                customdata=[plain(row.disturbed) for row in some] if is_disturbed else None,
                hovertemplate=f"<b>{label}</b><br>%{{y:.3~g}}× the median of its prompt{hover}"
                "<extra></extra>",
            )
    figure.update_layout(
        xaxis=axis(f"Since the first run ({unit})", dark=dark, grid=False),
        yaxis=axis("Times the median, log axis", dark=dark, **_log_range(rows)),
    )
    with_room(figure)
    legend_below(figure)
    return figure


def _log_range(rows: list[TimelineRow]) -> dict[str, Any]:
    values = np.log10([row.relative for row in rows])
    low, high = min(float(values.min()), -0.04), max(float(values.max()), 0.04)
    pad = (high - low) * 0.06
    span = {"type": "log", "range": [low - pad, high + pad], "rangemode": "normal"}
    offered = _COARSE if high - low > _COARSE_FROM else _FINE
    shown = [one for one in offered if low - pad <= np.log10(one) <= high + pad]
    return span | {
        "tickmode": "array",
        "tickvals": shown,
        "ticktext": [f"{one:g}×" for one in shown],
    }
