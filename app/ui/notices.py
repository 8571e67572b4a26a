"""What must be said above the columns: a notice, and runs that could not be recorded."""

from __future__ import annotations

import streamlit as st

from app.bench.conversation import Conversation
from app.bench.export import runs_json
from app.ui import chat_state
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server
from backends.errors import NotRecorded


def draw_notices(conversation: Conversation) -> None:
    text = chat_state.take_notice()
    if text:
        st.warning(plain_text_as_markdown(text), icon=":material/info:")
    job = chat_state.job_of(conversation)
    if job is not None and job.failure is not None and job.is_done:
        failure = f"{job.failure.message} {job.failure.remedy}"
        st.warning(plain_text_as_markdown(failure), icon=":material/info:")
    _not_recorded()


def _not_recorded() -> None:
    server = get_server()
    runs = server.book.unrecorded(server.visitor())
    if not runs:
        return
    problem = server.store.problem
    why = f"{problem.message} {problem.remedy}" if problem else ""
    count = f"{len(runs)} {'run is' if len(runs) == 1 else 'runs are'}"
    st.error(f"{count} not recorded. {why}", icon=":material/save:")
    with st.container(horizontal=True):
        st.button("Try again", key="retry-record", icon=":material/refresh:", on_click=_retry)
        st.download_button(
            "Download them",
            data=lambda: runs_json(runs),
            file_name="not-recorded-runs.json",
            icon=":material/download:",
            on_click="ignore",
        )


def _retry() -> None:
    server = get_server()
    try:
        server.book.retry(server.visitor())
    except NotRecorded as error:
        chat_state.notice(f"{error.message} {error.remedy}")
