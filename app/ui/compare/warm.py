"""The first chart is made ready while its reader still chooses an experiment.

A process pays once for its first Plotly figure and a browser's page for Plotly's script: together
over a second on a slow machine, which would be waited for in front of an empty page.
"""

from __future__ import annotations

import functools
import threading
from pathlib import Path

import streamlit as st

_MOUNT = "dyno_warm"
# The same address as Streamlit loads it from, so that it is loaded once.
_JS = """
export default function ({ data }) {
  const whenIdle = window.requestIdleCallback ?? ((task) => setTimeout(task, 200));
  whenIdle(() => import(new URL(data.script, document.baseURI)).catch(() => {}));
}
"""


def warm_charts() -> None:
    """Begin both, once; the page does not wait for either."""
    _begin_in_process()
    script = _script()
    if script:
        mount = st.components.v2.component(_MOUNT, html="<span></span>", js=_JS)
        mount(data={"script": script}, key="warm", height=1)


@functools.cache
def _begin_in_process() -> None:
    threading.Thread(target=_draw_one, name="warm-charts", daemon=True).start()


def _draw_one() -> None:
    import plotly.graph_objects as go
    import scipy.special  # noqa: F401  intervals need it

    from app.bench.experiments import charts  # noqa: F401

    figure = go.Figure()
    figure.add_scatter(x=[0], y=[0], error_x={"array": [0]}, marker={"symbol": ["circle"]})
    figure.add_annotation(text="", x=0, y=0, font={"size": 12})
    figure.add_vline(x=0)
    figure.update_layout(
        title={"text": "", "subtitle": {"text": ""}, "font": {"size": 12}},
        xaxis={"type": "log", "title": {"text": ""}, "tickfont": {"size": 12}},
        margin={"t": 0},
    )
    figure.to_json()


@functools.cache
def _script() -> str:
    """Where Streamlit serves its Plotly part; empty where a version names it otherwise."""
    folder = Path(st.__file__).parent / "static"
    found = sorted(folder.glob("static/js/PlotlyChart.*.js"))
    return found[0].relative_to(folder).as_posix() if found else ""
