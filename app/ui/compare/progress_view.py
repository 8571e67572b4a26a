"""How far a running experiment is, and what can be done about it.

It looks at the board once a second and draws a line and a bar: whatever a page draws is taken from
the cores that are being measured. Results are drawn at each quarter, and when somebody asks.
"""

from __future__ import annotations

import streamlit as st

from app.bench.experiments.progress import Status
from app.bench.format import about_seconds, counted, dollars_of_many, grouped
from app.ui.compare import actions
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server

POLL_SECONDS = 1.0
# Below this nobody is asked whether they mean it.
_SHORT_SECONDS = 60.0
_ASKED, _DRAWN = "compare_cancel_asked", "compare_drawn_quarter"


def draw_progress(id_: str, status: Status) -> None:
    """Of an experiment that is worked on here."""
    st.session_state[_DRAWN] = _quarter(status)
    _watch(id_)
    _controls(id_)


@st.fragment(run_every=POLL_SECONDS)
def _watch(id_: str) -> None:
    status = get_server().experiments.status(id_)
    if status is None or _quarter(status) > st.session_state.get(_DRAWN, 0):
        st.rerun()  # the whole page: it has ended, or its results are worth another look
    st.progress(status.made / max(1, status.planned), text=told(status))
    st.caption(plain_text_as_markdown(doing(status)))
    for label, said in status.left_out.items():
        st.warning(plain_text_as_markdown(f"{label} is left out: {said}"), icon=":material/block:")


def _quarter(status: Status) -> int:
    return 4 * status.made // max(1, status.planned)


def told(status: Status) -> str:
    """312 of 576 runs · about 6 min left · $0.0019 so far"""
    parts = [f"{grouped(status.made)} of {grouped(status.planned)} runs"]
    if status.seconds_left is not None:
        parts.append(f"about {about_seconds(status.seconds_left)} left")
    elif status.made < status.planned:
        parts.append("time left is told after each setup's first answers")
    if status.dollars is not None:
        parts.append(f"\\{dollars_of_many(status.dollars)} so far")
    if status.disturbed:
        parts.append(f"{counted(status.disturbed, 'disturbed run')} made again")
    return " · ".join(parts)


def doing(status: Status) -> str:
    return f"Now: {status.doing}"


def _controls(id_: str) -> None:
    if st.session_state.get(_ASKED) == id_:
        _ask_again(id_)
        return
    with st.container(horizontal=True, vertical_alignment="center", key="progress-controls"):
        st.button(
            "Pause",
            icon=":material/pause:",
            key="experiment-pause",
            on_click=actions.pause,
            args=(id_,),
            help="Ends the run that is made and frees the device. What is done stays.",
        )
        st.button(
            "Cancel",
            icon=":material/stop:",
            key="experiment-cancel",
            type="tertiary",
            on_click=_cancel,
            args=(id_,),
        )
        st.button(
            "Show the results so far",
            icon=":material/refresh:",
            key="experiment-refresh",
            type="tertiary",
            help="They are drawn at each quarter, and when you ask: drawing takes the cores that "
            "are being measured.",
        )


def _cancel(id_: str) -> None:
    status = get_server().experiments.status(id_)
    left = status.seconds_left if status is not None else 0.0
    if left is None or left > _SHORT_SECONDS:
        st.session_state[_ASKED] = id_
    else:
        actions.cancel(id_)


def _ask_again(id_: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="progress-controls"):
        st.markdown("End it here? What is done stays, and it can be resumed.", width="content")
        st.button("End it", type="primary", key="experiment-end", on_click=_end, args=(id_,))
        st.button("Keep running", key="experiment-keep", on_click=_forget_question)


def _end(id_: str) -> None:
    _forget_question()
    actions.cancel(id_)


def _forget_question() -> None:
    st.session_state.pop(_ASKED, None)
