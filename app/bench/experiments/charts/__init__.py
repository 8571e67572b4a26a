"""The charts of an experiment, for the page and the report: findings in, a Plotly figure out.

Each is None where there is nothing to draw; `WITHOUT_DATA` then says what to do. Each has a
function that gives the values behind it as rows, for `app.bench.export.rows_csv`.
"""

from app.bench.experiments.charts.pareto import (
    axes,
    default_axes,
    pareto_chart,
    pareto_rows,
)

__all__ = ["axes", "default_axes", "pareto_chart", "pareto_rows"]
