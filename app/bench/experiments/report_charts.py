"""Which charts a report holds: those of the Compare page, each with the choices it has there."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.bench.experiments import charts
from app.bench.experiments.figure_text import short_title
from app.bench.experiments.findings import Findings
from app.bench.experiments.samples import MEDIANS

if TYPE_CHECKING:
    import plotly.graph_objects as go

Draw = Callable[[bool], "go.Figure | None"]


@dataclass(frozen=True, slots=True)
class Panel:
    """A place for one chart. `choices`: what may be drawn there, by name; the first is drawn first.

    Each is Plotly's data and layout for "light" and for "dark".
    """

    title: str
    choices: Mapping[str, Mapping[str, Any]]


def panels(findings: Findings) -> list[Panel]:
    """Every chart that there are values for."""
    names = {one.metric: short_title(one) for one in findings.metrics() if one.metric in MEDIANS}
    made = [
        ("Which setups are worth having", _pareto(findings)),
        ("Ratios to the reference", {"": lambda dark: charts.ratio_chart(findings, dark=dark)}),
        ("What is proven", {"": lambda dark: charts.heat_map(findings, dark=dark)}),
        ("Spread over the runs", _by_metric(charts.distribution_chart, findings, names)),
        ("Over the length of the prompt", _by_metric(charts.length_chart, findings, names)),
        ("All runs in their order", _by_metric(charts.timeline_chart, findings, names)),
    ]
    return [Panel(title, drawn) for title, choices in made if (drawn := _drawn(choices))]


def _pareto(findings: Findings) -> dict[str, Draw]:
    """The page's own choice of axes first, then each of the two with every other figure: all pairs
    of a dozen figures would be more than a file should hold."""
    names = {one.metric: short_title(one) for one in charts.axes(findings)}
    first = set(charts.default_axes(findings) or ())
    pairs = [pair for pair in itertools.combinations(names, 2) if first & set(pair)]
    pairs.sort(key=lambda pair: first != set(pair))
    return {f"{names[x]} and {names[y]}": _axes(findings, x, y) for x, y in pairs}


def _axes(findings: Findings, x: str, y: str) -> Draw:
    return lambda dark: charts.pareto_chart(findings, x, y, dark=dark)


def _by_metric(
    chart: Callable[..., go.Figure | None], findings: Findings, names: Mapping[str, str]
) -> dict[str, Draw]:
    def of(metric: str) -> Draw:
        return lambda dark: chart(findings, metric, dark=dark)

    return {name: of(metric) for metric, name in names.items()}


def _drawn(choices: Mapping[str, Draw]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, draw in choices.items():
        light, dark = draw(False), draw(True)
        if light is not None and dark is not None:
            found[name] = {"light": _plotly(light), "dark": _plotly(dark)}
    return found


def _plotly(figure: go.Figure) -> Any:
    return json.loads(figure.to_json())
