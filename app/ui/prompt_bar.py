"""The bottom of the page: the prompt for all setups, Stop while they answer, the context in use."""

from __future__ import annotations

import streamlit as st

from app.bench.conversation import Conversation
from app.bench.format import grouped
from app.bench.jobs import Job
from app.ui import chat_state

_NEARLY_FULL = 0.9


def draw_prompt_bar(conversation: Conversation, job: Job | None) -> None:
    busy = job is not None and not job.is_done
    with st.bottom:
        if not busy:
            _context_in_use(conversation)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            count = len(conversation.comparison.columns)
            st.chat_input(
                f"Ask all {count} setups" if count > 1 else "Ask",
                key="prompt",
                disabled=busy,
                # Before the page is drawn: the prompt is taken at once and drawn only once.
                on_submit=_send,
            )
            if busy:
                st.button(
                    "Stop",
                    icon=":material/stop:",
                    type="primary",
                    key="stop",
                    shortcut="Escape",
                    on_click=chat_state.stop,
                )


def _send() -> None:
    chat_state.send(str(st.session_state["prompt"] or ""))


def _context_in_use(conversation: Conversation) -> None:
    """Say before sending that a window is nearly full, from the last run's counts."""
    if not conversation.turns:
        return
    for column in conversation.comparison.columns:
        run = conversation.turns[-1].runs.get(column.key)
        if run is None or run.usage is None or run.environment.context_window is None:
            continue
        if column.setup.history == "none":
            continue
        used = (run.usage.prompt_tokens or 0) + (run.usage.output_tokens or 0)
        window = run.environment.context_window
        if used >= _NEARLY_FULL * window:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(
                    f":material/warning: {run.setup_label}: {grouped(used)} of {grouped(window)} "
                    "tokens of context are in use; the next prompt may not fit."
                )
                st.button(
                    "Drop the oldest turns",
                    key=f"drop-before-{column.key}",
                    type="tertiary",
                    on_click=chat_state.forget_oldest_turns,
                    args=(column.key,),
                )
