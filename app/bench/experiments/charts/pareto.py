"""Which setups are worth having: two figures of each against each other, and the front."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.bench.experiments import pareto
from app.bench.experiments.charts.span import Span
from app.bench.experiments.figure_text import short_title
from app.bench.experiments.findings import Findings, SetupFigures, provenance_of
from app.bench.experiments.pareto import Standing
from app.bench.experiments.samples import SetupFigure
from app.charts.colors import faded, setup_color, setup_symbol
from app.charts.placing import Named, places
from app.charts.style import Ink, plain, shortened, tall_chart, with_room
from app.charts.ticks import room_beside

if TYPE_CHECKING:
    import plotly.graph_objects as go

_HEIGHT_PX = 460
_PLOT_WIDTH_PX, _PLOT_HEIGHT_PX = 560, 320  # of a narrow page
_OPACITY: dict[Standing, float] = {"on the front": 1.0, "maybe": 0.85, "dominated": 0.35}
_DEFAULTS = (
    ("tpot_ns", "peak_memory_bytes"),
    ("ttft_ns", "tpot_ns"),
    ("tpot_ns", "cost_per_million_tokens"),
)


@dataclass(frozen=True, slots=True)
class ParetoRow:
    """One setup in the plane, in base units."""

    setup: str
    standing: Standing
    x_metric: str
    x: float
    x_low: float | None
    x_high: float | None
    x_n: int
    y_metric: str
    y: float
    y_low: float | None
    y_high: float | None
    y_n: int


def axes(findings: Findings) -> tuple[SetupFigure, ...]:
    """The metrics that can be an axis: two setups have them, and one end is the better."""
    return tuple(one for one in findings.metrics(at_least=2) if one.better != "neither")


def default_axes(findings: Findings) -> tuple[str, str] | None:
    """The two to begin with; None where there are no two."""
    names = [one.metric for one in axes(findings)]
    for x, y in _DEFAULTS:
        if x in names and y in names:
            return x, y
    return (names[0], names[1]) if len(names) > 1 else None


def pareto_rows(findings: Findings, x: str, y: str) -> list[ParetoRow]:
    standings = pareto.front(pareto.points_of(findings.setups, x, y))
    rows = []
    for setup in findings.setups:
        if setup.index not in standings:
            continue
        a, b = setup.figures[x], setup.figures[y]
        if a.value is not None and b.value is not None:
            rows.append(
                ParetoRow(
                    setup.label,
                    standings[setup.index],
                    x,
                    a.value,
                    a.low,
                    a.high,
                    a.n,
                    y,
                    b.value,
                    b.low,
                    b.high,
                    b.n,
                )
            )
    return rows


def pareto_chart(
    findings: Findings, x: str | None = None, y: str | None = None, *, dark: bool = False
) -> go.Figure | None:
    """Each setup a point with its intervals, and the front as steps; None under two points.

    A setup's trace holds its index in the plan as `customdata`.
    """
    chosen = default_axes(findings) if x is None or y is None else (x, y)
    if chosen is None:
        return None
    points = pareto.points_of(findings.setups, *chosen)
    if len(points) < 2:
        return None
    standings = pareto.front(points)
    shown = [setup for setup in findings.setups if setup.index in standings]
    spans = [Span.of([setup.figures[metric] for setup in shown]) for metric in chosen]
    figure = tall_chart(_title(spans, standings), _subtitle(standings), _HEIGHT_PX, dark=dark)
    corners = _corners(points, spans)
    _draw_front(figure, corners, dark=dark)
    for setup in shown:
        _draw_setup(figure, setup, standings[setup.index], spans, dark=dark)
    _draw_names(figure, shown, standings, spans, corners, dark=dark)
    level, upright = (span.axis(dark=dark) for span in spans)
    figure.update_layout(xaxis=level, yaxis=upright, clickmode="event+select")
    with_room(figure, room_beside(upright))
    return figure


def _title(spans: Sequence[Span], standings: dict[int, Standing]) -> str:
    names = " and ".join(_lowered(short_title(span.figure)) for span in spans)
    sure = sum(standing == "on the front" for standing in standings.values())
    if not sure:
        return f"Which setups are worth it by {names}?"
    verb = "is" if sure == 1 else "are"
    return f"{sure} of {len(standings)} setups {verb} on the front of {names}"


def _lowered(words: str) -> str:
    return words if words[:2].isupper() else words[0].lower() + words[1:]


def _subtitle(standings: dict[int, Standing]) -> str:
    words = {
        "on the front": "filled: surely on the front",
        "maybe": "hollow: perhaps on it, as far as the intervals tell",
        "dominated": "pale: another is surely better in both",
    }
    meaning = "; ".join(text for name, text in words.items() if name in standings.values())
    lead = "Medians with 95 % intervals; the line is the front by medians"
    return f"{lead}<br>{meaning[0].upper()}{meaning[1:]}"


def _shares(
    corners: Sequence[tuple[float, float]], spans: Sequence[Span]
) -> list[tuple[float, float]]:
    x, y = spans
    return [(x.share(a * x.scale.divisor), y.share(b * y.scale.divisor)) for a, b in corners]


def _corners(points: Sequence[pareto.Point], spans: Sequence[Span]) -> list[tuple[float, float]]:
    """The front as steps, from the worst y over each point on it to the worst x, in axis units."""
    signs = [-1 if span.figure.better == "higher" else 1 for span in spans]
    steps = [
        (
            signs[0] * one.x.value / spans[0].scale.divisor,
            signs[1] * one.y.value / spans[1].scale.divisor,
        )
        for one in pareto.line(points)
    ]
    corners = [(steps[0][0], spans[1].worst), steps[0]]
    for (_, before), (x, y) in itertools.pairwise(steps):
        corners += [(x, before), (x, y)]
    return [*corners, (spans[0].worst, steps[-1][1])]


def _draw_front(figure: go.Figure, corners: Sequence[tuple[float, float]], *, dark: bool) -> None:
    figure.add_scatter(
        x=[x for x, _ in corners],
        y=[y for _, y in corners],
        mode="lines",
        line={"width": 1.5, "dash": "dot", "color": Ink.of(dark).quiet},
        hoverinfo="skip",
        name="front",
    )


def _draw_setup(
    figure: go.Figure,
    setup: SetupFigures,
    standing: Standing,
    spans: Sequence[Span],
    *,
    dark: bool,
) -> None:
    a, b = (setup.figures[span.figure.metric] for span in spans)
    color = setup_color(setup.index, dark=dark)
    opacity = _OPACITY[standing]
    symbol = setup_symbol(setup.index) + ("-open" if standing == "maybe" else "")
    bars = {"color": faded(color, 0.6 * opacity), "thickness": 1.5, "width": 4}
    figure.add_scatter(
        x=[spans[0].drawn(a)],
        y=[spans[1].drawn(b)],
        error_x=spans[0].bar(a) | bars,
        error_y=spans[1].bar(b) | bars,
        mode="markers",
        name=plain(setup.label),
        marker={
            "symbol": symbol,
            "size": 12,
            "color": color,
            "opacity": opacity,
            "line": {"width": 2 if standing == "maybe" else 0, "color": color},
        },
        selected={"marker": {"opacity": 1, "size": 17}},
        unselected={"marker": {"opacity": opacity}},
        customdata=[setup.index],
        hovertemplate=f"<b>{plain(setup.label)}</b>, {_standing_words(standing)}<br>"
        + "<br>".join(_hover(span, one) for span, one in zip(spans, (a, b), strict=True))
        + "<extra></extra>",
    )


def _standing_words(standing: Standing) -> str:
    return {
        "on the front": "on the front",
        "maybe": "perhaps on the front",
        "dominated": "dominated",
    }[standing]


def _hover(span: Span, figure: SetupFigure) -> str:
    told = span.scale.with_interval(figure)
    why = f"; {figure.reason}" if figure.low is None and figure.reason else ""
    how = provenance_of(figure.metric)
    return f"{short_title(figure)}: {told}<br>    {how}, n = {figure.n}{plain(why)}"


def _draw_names(
    figure: go.Figure,
    setups: Sequence[SetupFigures],
    standings: dict[int, Standing],
    spans: Sequence[Span],
    corners: Sequence[tuple[float, float]],
    *,
    dark: bool,
) -> None:
    named = []
    for setup in setups:
        a, b = (setup.figures[span.figure.metric] for span in spans)
        (x, left, right), (y, bottom, top) = spans[0].shares(a), spans[1].shares(b)
        named.append(Named(x, y, setup.label, (left, right), (bottom, top)))
    found = places(named, _PLOT_WIDTH_PX, _PLOT_HEIGHT_PX, _shares(corners, spans))
    for setup, point, place in zip(setups, named, found, strict=True):
        pale = standings[setup.index] == "dominated"
        figure.add_annotation(
            x=point.x,
            y=point.y,
            xref="x domain",
            yref="y domain",
            text=plain(shortened(setup.label)),
            showarrow=False,
            xanchor=place.anchor,
            yanchor="middle",
            xshift=place.dx,
            yshift=place.dy,
            font={
                "size": 13,
                "color": Ink.of(dark).quiet if pale else setup_color(setup.index, dark=dark),
            },
        )
