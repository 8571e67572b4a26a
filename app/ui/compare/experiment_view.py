"""One experiment: how far it is or how it ended, what it shows, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import plan_toml
from app.bench.experiments.progress import Status
from app.bench.format import counted, moment
from app.ui.compare import actions, address
from app.ui.compare.experiment_list import state_in_words
from app.ui.compare.experiment_menu import draw_menu, draw_name_field, draw_share, is_renamed
from app.ui.compare.exports import draw_exports
from app.ui.compare.progress_view import draw_progress
from app.ui.compare.results import render_results
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server


def draw_experiment(id_: str) -> None:
    server = get_server()
    experiment = server.experiments.last(id_, server.visitor())
    if experiment is None:
        st.markdown("There is no such experiment here, or it is somebody else's.")
        st.button("All experiments", key="back-to-list", on_click=address.show_list)
        return
    status = server.experiments.status(id_)
    _head(experiment, status)
    actions.draw_problem()
    if status is not None:
        draw_progress(id_, status)
    else:
        _ending(experiment)
    render_results(experiment, server.store, server.visitor())
    _draw_plan(experiment)


@st.fragment
def _draw_plan(experiment: Experiment) -> None:
    """Drawn once it is opened: the browser takes half a second to get ready to colour code."""
    with st.expander("The plan", key=f"plan-of-{experiment.id}", on_change="rerun") as panel:
        if panel.open:
            st.code(plan_toml(experiment.plan), language="toml")


def _head(experiment: Experiment, status: Status | None) -> None:
    plan = experiment.plan
    with st.container(horizontal=True, vertical_alignment="center", key="experiment-head"):
        if is_renamed(experiment.id):
            draw_name_field(experiment.id, plan.name)
        else:
            st.title(plain_text_as_markdown(plan.name), anchor=False)
        draw_exports(experiment)
        draw_share(experiment.id)
        draw_menu(experiment.id)
        st.button(
            "All experiments",
            icon=":material/arrow_back:",
            key="back-to-list",
            type="tertiary",
            on_click=address.show_list,
        )
    if status is None:
        state = state_in_words(experiment.state, None)
    else:
        state = "waiting" if status.is_waiting else "running"
    source = plain_text_as_markdown(experiment.imported_from)
    where = f" · made on {source}" if source else ""
    st.caption(
        f"{state} · {counted(len(plan.setups), 'setup')} · "
        f"{plain_text_as_markdown(plan.workload)} · {counted(plan.repeats, 'round')} · "
        f"{moment(experiment.created_at)}{where}"
    )


def _ending(experiment: Experiment) -> None:
    """Why it is not finished, and how it goes on; nothing for one that is."""
    if experiment.state != "finished" and not experiment.imported_from:
        why = experiment.reason or (
            "It is paused." if experiment.state == "paused" else "It broke off before its end."
        )
        with st.container(horizontal=True, vertical_alignment="center", key="ending"):
            st.markdown(plain_text_as_markdown(f"{why} What is done is kept."), width="content")
            st.button(
                "Resume",
                type="primary",
                icon=":material/play_arrow:",
                key="experiment-resume",
                on_click=actions.resume,
                args=(experiment.id,),
            )
    for label, said in experiment.left_out.items():
        st.warning(plain_text_as_markdown(f"{label} was left out: {said}"), icon=":material/block:")
