"""Under the columns: what may be said about the last turn, and how to be sure."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.bench import repeat
from app.bench.compare import why_not_comparable
from app.bench.conversation import Conversation
from app.bench.jobs import Job
from app.ui import chat_state
from app.ui.here_or_there import here_or_there
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server
from backends.errors import DynoError


def draw_verdict(conversation: Conversation, job: Job | None) -> Callable[[Job], None] | None:
    """The proven ratios, or why nothing is ranked, or the offer to repeat.

    While repeats run it returns what draws how far they are."""
    if not conversation.turns or len(conversation.comparison.columns) < 2:
        return None
    turn, comparison = conversation.turns[-1], conversation.comparison
    records = list(turn.runs.values())
    if job is not None and not job.is_done:
        return _progress_bar(job) if job.purpose == "repeat" else None
    if len(records) < 2:
        return None
    try:
        found = repeat.verdicts(get_server().store, conversation, turn.index)
    except DynoError:
        found = []
    for verdict in found:
        icon = ":material/verified:" if verdict.speed.proven else ":material/help:"
        st.markdown(f"{icon} {plain_text_as_markdown(verdict.sentence)}")
    reasons = why_not_comparable(records)
    if reasons and not found:
        st.caption(plain_text_as_markdown("Not ranked: " + " ".join(reasons)))
    if sentence := here_or_there(records):
        st.markdown(f":material/public: {plain_text_as_markdown(sentence)}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Repeat again" if found else "Repeat to be sure",
            icon=":material/repeat:",
            key="repeat",
            on_click=_repeat,
            help=f"{repeat.PAIRS} pairs of this prompt with exactly {repeat.TOKENS} tokens, "
            "interleaved; gives the ratio with its 95 % interval.",
        )
        if not comparison.sampling.fixed_length and any("length" in r for r in reasons):
            st.button("Same length for all", key="equal-length", on_click=_same_length)
        if not comparison.shared_history and any("earlier" in r for r in reasons):
            st.button("Share the history", key="equal-history", on_click=_share_history)
    return None


def _progress_bar(job: Job) -> Callable[[Job], None]:
    place = st.empty()
    shown = -1

    def draw(job: Job) -> None:
        nonlocal shown
        done = sum(lane.record is not None for lane in job.lanes)
        if done != shown:
            shown = done
            text = f"Repeating: {done} of {len(job.lanes)} runs"
            place.progress(done / len(job.lanes), text=text)

    draw(job)
    return draw


def _repeat() -> None:
    conversation = chat_state.current()
    if not chat_state.is_busy(conversation):
        repeat.start(get_server().jobs, conversation, conversation.turns[-1].index)


def _same_length() -> None:
    sampling = chat_state.current().comparison.sampling
    chat_state.set_sampling(
        sampling.model_copy(
            update={"fixed_length": True, "max_new_tokens": min(sampling.max_new_tokens, 64)}
        )
    )
    chat_state.regenerate()


def _share_history() -> None:
    chat_state.edit_comparison(lambda c: c.model_copy(update={"shared_history": True}))
    chat_state.regenerate()
