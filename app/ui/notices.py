"""What must be said above the columns: a notice, and runs that could not be recorded."""

from __future__ import annotations

import streamlit as st

from app.bench.conversation import Conversation
from app.bench.export import runs_json
from app.bench.format import grouped
from app.bench.labels import label_of
from app.ui import chat_state
from app.ui.safe_text import plain_lines_as_markdown, plain_text_as_markdown
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
    _does_not_fit(conversation)
    _not_recorded()


def _does_not_fit(conversation: Conversation) -> None:
    """Before sending: whose context window the prompt would overflow, and what can be done."""
    pending = st.session_state.get(chat_state.PENDING)
    if pending is None:
        return
    prompt, found = pending
    names = {c.key: label_of(c, conversation.comparison) for c in conversation.comparison.columns}
    lines = [
        f"{names.get(o.column.key, 'A setup')}: the prompt would have {grouped(o.prompt_tokens)} "
        f"tokens, the context window holds {grouped(o.context_window)}."
        for o in found
    ]
    can_drop = all(overflow.turns_to_drop is not None for overflow in found)
    if not can_drop:
        lines.append("Dropping earlier turns is not enough: shorten the prompt.")
    st.warning(plain_lines_as_markdown("Not sent.\n" + "\n".join(lines)), icon=":material/info:")
    with st.container(horizontal=True):
        st.button(
            "Drop the oldest turns and send",
            key="drop-and-send",
            type="primary",
            icon=":material/content_cut:",
            disabled=not can_drop,
            on_click=chat_state.drop_turns_and_send,
            args=(prompt, found),
        )
        st.button("Do not send", key="do-not-send", on_click=chat_state.forget_pending)


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
