"""The experiments of this visitor, newest first: open, rename, delete with undo; or a first one."""

from __future__ import annotations

import streamlit as st

from app.bench.experiments.progress import Status
from app.bench.experiments.workloads import load_workload
from app.bench.format import counted, grouped, moment
from app.bench.store.values import ExperimentSummary
from app.ui.compare import actions, address, drafting
from app.ui.compare.example import example
from app.ui.compare.experiment_menu import draw_menu, draw_name_field, is_renamed
from app.ui.compare.size import told_size
from app.ui.compare.warm import warm_charts
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server

PAGE_SIZE = 20
_PAGE, _IMPORT = "compare_list_page", "experiment-import"
_POLL_SECONDS = 3.0  # seldom: what a page draws is taken from the cores that are being measured


def draw_list() -> None:
    server = get_server()
    count = server.store.count_experiments(server.visitor())
    with st.container(horizontal=True, vertical_alignment="center", key="list-head"):
        st.title("Compare", anchor=False)
        if not server.settings.public:  # a visitor's files would fill the owner's disk
            _import_field()
        if count:
            st.button(
                "New experiment",
                type="primary",
                icon=":material/add:",
                key="experiment-new",
                on_click=drafting.show_left,
            )
    actions.draw_problem()
    actions.offer_undo()
    if not count:
        _first_visit()
        return
    warm_charts()
    pages = -(-count // PAGE_SIZE)
    page = min(int(st.session_state.get(_PAGE, 1)), pages)
    shown = server.store.experiment_summaries(
        server.visitor(), limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE
    )
    with st.container(key="experiment-list", gap="xsmall"):
        for one in shown:
            _line(one, server.experiments.status(one.id))
    if pages > 1:
        st.pagination(pages, key=_PAGE)


def _import_field() -> None:
    with st.popover("Import", icon=":material/upload_file:", type="tertiary"):
        st.file_uploader(
            "An experiment (JSON)",
            type=["json"],
            key=_IMPORT,
            on_change=_take_in,
            help="As “Export, Everything (JSON)” wrote it, here or on another machine.",
        )


def _take_in() -> None:
    file = st.session_state[_IMPORT]
    if file is not None:
        actions.take_in(file)


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
        size, missing = told_size(offered.plan, workload)
        st.markdown(plain_text_as_markdown(f"{size}, {offered.plan.output_tokens} tokens each"))
        if missing:
            st.caption(plain_text_as_markdown(missing))
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
                on_click=drafting.show_left,
            )


def _line(one: ExperimentSummary, status: Status | None) -> None:
    said = [counted(one.setups, "setup"), plain_text_as_markdown(one.workload)]
    # While it runs those are told that count; of one that ended all that were made, again or not.
    said += [counted(one.finished + one.failed, "run")] if status is None else []
    said.append(moment(one.created_at))
    said += [f"{counted(one.left_out, 'setup')} left out"] if one.left_out else []
    said += [f"made on {plain_text_as_markdown(one.imported_from)}"] if one.imported_from else []
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"experiment-line-{one.id}"
    ):
        if is_renamed(one.id):
            draw_name_field(one.id, one.name)
            return
        with st.container(gap=None):
            st.button(
                plain_text_as_markdown(one.name),
                key=f"open-experiment-{one.id}",
                type="tertiary",
                on_click=address.show_experiment,
                args=(one.id,),
            )
            if status is None:
                _say(one.state, None, said)
            else:
                _watch(one.id, said)
        is_left = one.state in ("begun", "paused") and not one.imported_from
        if status is None and is_left:
            st.button(
                "Resume",
                icon=":material/play_arrow:",
                key=f"resume-{one.id}",
                on_click=_resume,
                args=(one.id,),
            )
        draw_menu(one.id)


@st.fragment(run_every=_POLL_SECONDS)
def _watch(id_: str, said: list[str]) -> None:
    status = get_server().experiments.status(id_)
    if status is None:
        st.rerun()  # it has ended, and its line says how
    _say("", status, said)


def _say(state: str, status: Status | None, said: list[str]) -> None:
    state = plain_text_as_markdown(state_in_words(state, status))
    st.caption(" · ".join([state, *said]))


def _resume(id_: str) -> None:
    actions.resume(id_)
    address.show_experiment(id_)


def state_in_words(state: str, status: Status | None) -> str:
    if status is not None and status.is_waiting:
        return status.doing
    if status is not None:
        return f"running, {grouped(status.made)} of {grouped(status.planned)} runs made"
    return {"begun": "unfinished"}.get(state, state)
