"""The charts of an experiment, for the page and the report: findings in, a Plotly figure out.

Each is None where there is nothing to draw; `WITHOUT_DATA` then says what to do. Each has a
function that gives the values behind it as rows, for `app.bench.export.rows_csv`.
"""

from __future__ import annotations

from typing import Final, Literal

from app.bench.experiments.charts.distribution import distribution_chart, distribution_rows
from app.bench.experiments.charts.heat import heat_map, heat_rows
from app.bench.experiments.charts.lengths import length_chart, length_rows
from app.bench.experiments.charts.pareto import axes, default_axes, pareto_chart, pareto_rows
from app.bench.experiments.charts.ratios import moves_chart, ratio_chart, ratio_rows
from app.bench.experiments.charts.timeline import timeline_chart, timeline_rows

__all__ = [
    "WITHOUT_DATA",
    "ChartName",
    "axes",
    "default_axes",
    "distribution_chart",
    "distribution_rows",
    "heat_map",
    "heat_rows",
    "length_chart",
    "length_rows",
    "moves_chart",
    "pareto_chart",
    "pareto_rows",
    "ratio_chart",
    "ratio_rows",
    "timeline_chart",
    "timeline_rows",
]

ChartName = Literal["pareto", "ratios", "distribution", "lengths", "timeline", "heat", "moves"]
WITHOUT_DATA: Final[dict[ChartName, str]] = {
    "pareto": "Two setups with two figures each make this chart: let a second setup answer.",
    "ratios": "A second setup that answers the same prompts is needed to compare it with the "
    "reference.",
    "distribution": "No run has this figure: choose another.",
    "lengths": "All prompts have the same length, as far as it is known: a workload such as "
    "long-context has several.",
    "timeline": "Two finished runs make this chart.",
    "heat": "No figure was measured yet.",
    "moves": "The two experiments have no setup in common with 6 runs in both.",
}
