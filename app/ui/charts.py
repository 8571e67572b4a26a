"""The charts under a conversation, and what to say where one has no data.

A title asks what the chart answers; it claims nothing, because one run of each setup proves
nothing. A chart without data is None, and `what_to_do` says how to get some.
"""

from __future__ import annotations

from typing import Literal

from app.ui.charts_of_time import race_chart, ttft_total_chart
from app.ui.charts_of_use import cost_chart, memory_chart

__all__ = [
    "ChartName",
    "cost_chart",
    "memory_chart",
    "race_chart",
    "ttft_total_chart",
    "what_to_do",
]

ChartName = Literal["times", "race", "memory", "cost"]


def what_to_do(chart: ChartName) -> str:
    """What a page says where this chart has no data."""
    return {
        "times": "Send a prompt to see how long each setup takes.",
        "race": "Send a prompt to see how fast each answer grows.",
        "memory": "Not measured: no answer here has a memory reading.",
        "cost": "Set a price for this device to see what answers cost.",
    }[chart]
