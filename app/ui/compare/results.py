"""What an experiment found: charts, recommendation, figures, and against another experiment."""

from __future__ import annotations

import streamlit as st

from app.bench.experiments.experiment import Experiment
from app.bench.store import Store
from app.ui.compare.across import draw_across
from app.ui.compare.details_panel import draw_details
from app.ui.compare.figures_table import draw_figures
from app.ui.compare.pareto_panel import draw_pareto
from app.ui.compare.reading import findings
from app.ui.compare.recommend_panel import draw_recommendation

READY = '<div class="dyno-compare-ready" data-testid="dyno-compare-ready"></div>'


def render_results(experiment: Experiment, store: Store, visitor: str) -> None:
    """Everything under the progress of one experiment; also while it runs."""
    found = findings(experiment, store)
    if not any(result.finished for result in found.conclusion.setups):
        st.caption("No run has finished yet: results appear here with the first of them.")
    else:
        draw_pareto(found, store, visitor)
        draw_recommendation(found)
        draw_details(found)
        draw_figures(found)
        draw_across(found, store, visitor)
    st.html(READY)
