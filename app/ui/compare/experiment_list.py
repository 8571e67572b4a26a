"""The experiments of this visitor, newest first: open, rename, delete with undo; or a first one."""

from __future__ import annotations

import streamlit as st

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.workloads import load_workload
from app.bench.format import grouped, moment
from app.ui.compare import actions, address
from app.ui.compare.example import example
from app.ui.compare.experiment_menu import draw_menu
from app.ui.compare.plan_form import size_in_words
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server

_PAGE_SIZE = 20
_PAGE = "compare_list_page"


def draw_list() -> None:
    server = get_server()
    found = server.store.experiments(server.visitor(), limit=1_000)
    with st.container(horizontal=True, vertical_alignment="center", key="list-head"):
        st.title("Compare", anchor=False)
        if found:
            st.button(
                "New experiment",
                type="primary",
                icon=":material/add:",
                key="experiment-new",
                on_click=address.show_form,
            )
    actions.draw_problem()
    if not found:
        _first_visit()
        return
    running = server.experiments.running(server.visitor())
    shown = _page_of(found)
    with st.container(key="experiment-list", gap="xsmall"):
        for one in shown:
            _line(one, is_running=one.id in running)


def _first_visit() -> None:
    """What an experiment is, in a line, and one that can be started with a click."""
    st.markdown(
        "A chat shows a difference; an experiment proves it: the same prompts through every setup, "
        "in turns, until medians, intervals and a recommendation can be trusted."
    )
    offered = example()
    workload = load_workload(offered.plan.workload)
    with st.container(border=True, key="example"):
        st.markdown(f"**{plain_text_as_markdown(offered.plan.name)}**")
        st.markdown(plain_text_as_markdown(" · ".join(offered.plan.labels)))
        size = size_in_words(len(offered.plan.setups), sum(workload.turns), offered.plan.repeats)
        st.caption(f"{size}, {offered.plan.output_tokens} tokens each")
        for label, why in offered.left_out.items():
            st.caption(f":material/block: {plain_text_as_markdown(f'{label}: {why}')}")
        with st.container(horizontal=True):
            st.button(
                "Run this example",
                type="primary",
                icon=":material/play_arrow:",
                key="example-start",
                on_click=actions.start,
                args=(offered.plan, workload),
            )
            st.button(
                "Plan your own",
                icon=":material/add:",
                key="experiment-new",
                on_click=address.show_form,
            )


def _page_of(found: list[Experiment]) -> list[Experiment]:
    pages = -(-len(found) // _PAGE_SIZE)
    if pages == 1:
        return found
    page = st.pagination(pages, key=_PAGE)
    return found[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE]


def _line(one: Experiment, *, is_running: bool) -> None:
    setups = len(one.plan.setups)
    said = (
        "running" if is_running else state_in_words(one),
        f"{grouped(setups)} {'setup' if setups == 1 else 'setups'}",
        plain_text_as_markdown(one.plan.workload),
        moment(one.created_at),
    )
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"experiment-line-{one.id}"
    ):
        with st.container(gap=None):
            st.button(
                plain_text_as_markdown(one.plan.name),
                key=f"open-experiment-{one.id}",
                type="tertiary",
                on_click=address.show_experiment,
                args=(one.id,),
            )
            st.caption(" · ".join(said))
        if not is_running and one.state in ("begun", "paused"):
            st.button(
                "Resume",
                icon=":material/play_arrow:",
                key=f"resume-{one.id}",
                on_click=_resume,
                args=(one.id,),
            )
        draw_menu(one)


def _resume(id_: str) -> None:
    actions.resume(id_)
    address.show_experiment(id_)


def state_in_words(one: Experiment) -> str:
    return {"begun": "unfinished"}.get(one.state, one.state)
