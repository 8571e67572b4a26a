"""Answers while they happen: reads a job's lanes and writes into the places kept for them.

The loop runs in the page's own script run (measured: paints in 30 to 50 ms; timed fragments are
slower). The job lives in the server, so whatever ends this loop ends nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.bench.format import counted, duration, rate
from app.bench.jobs import Job
from app.bench.lane import Lane
from app.ui.figure_row import render_figures
from app.ui.safe_text import plain_text_as_markdown, safe_markdown

_POLL_SECONDS = 0.03
_STATUS_NS = 120_000_000


@dataclass(slots=True)
class LiveAnswer:
    """The places of one answer that is being written, and what they show now."""

    label: str
    text: DeltaGenerator
    status: DeltaGenerator
    figures: DeltaGenerator
    shown_text: str | None = None
    shown_status: str = ""
    status_ns: int = 0
    has_figures: bool = False

    def update(self, lane: Lane) -> None:
        """Write what has changed. The status line moves a few times a second, the text at once."""
        text = lane.text
        if text != self.shown_text:
            self.shown_text = text
            self.text.markdown(safe_markdown(text) if text else "&nbsp;", anchors=False)
        now_ns = time.monotonic_ns()
        if now_ns - self.status_ns >= _STATUS_NS or lane.state == "done":
            status = status_line(lane, now_ns)
            if status != self.shown_status:
                self.shown_status, self.status_ns = status, now_ns
                self._draw_status(lane, status)

        if lane.record is not None and not self.has_figures:
            self.has_figures = True
            with self.figures:
                render_figures(lane.record, label=self.label)

    def _draw_status(self, lane: Lane, status: str) -> None:
        fraction = lane.progress.fraction if lane.state == "loading" and lane.progress else None
        if fraction is not None:
            self.status.progress(fraction, text=plain_text_as_markdown(status))
        else:
            self.status.caption(plain_text_as_markdown(status))


def reserve(label: str) -> LiveAnswer:
    """Keep the places for an answer: text, status, and the height of the figures to come."""
    with st.chat_message("assistant", avatar=":material/smart_toy:"):
        text = st.empty()
        text.markdown("&nbsp;")
        status = st.empty()
        status.caption("Waiting")
    figures = st.empty()
    with figures:
        render_figures(None, label=label)
    return LiveAnswer(label, text, status, figures)


def status_line(lane: Lane, now_ns: int) -> str:
    """One line for people: where this run stands."""
    if lane.state == "queued":
        if lane.place is None:
            return "In the queue"
        holder = f", {lane.place.holder} has the device" if lane.place.holder else ""
        return f"In the queue: {lane.place.ahead} ahead{holder}"
    if lane.state == "loading":
        return lane.progress.stage if lane.progress else "Getting the engine"
    if lane.wait is not None and lane.state in ("warming up", "running"):
        left_s = max(0, lane.wait.until_ns - now_ns) // 1_000_000_000
        return f"{lane.wait.why}: about {left_s + 1} s"
    if lane.state == "warming up":
        return "Warming up (not measured)"
    if lane.state == "running":
        if lane.is_remote and not lane.tokens:
            return _status_elsewhere(lane, now_ns)
        if lane.tokens == 0:
            return f"Prefill {duration(now_ns - (lane.running_since_ns or now_ns))}"
        speed = lane.tokens_per_second
        return counted(lane.tokens, "token") + (f" · {rate(speed)}" if speed else "")
    if lane.state == "waiting":
        return "Waiting for its turn"
    return lane.error.message if lane.error is not None else "Done"


def _status_elsewhere(lane: Lane, now_ns: int) -> str:
    """A server says how many tokens it made when it has made them."""
    if lane.is_thinking:
        return f"Thinking {duration(now_ns - (lane.running_since_ns or now_ns))}"
    if lane.text:
        return "Streaming: its tokens are counted at the end"
    return f"Network, queue and prefill {duration(now_ns - (lane.running_since_ns or now_ns))}"


def follow(
    job: Job, live: dict[str, LiveAnswer], progress: Callable[[Job], None] | None = None
) -> None:
    """Show the job until it is done; the page is then drawn anew, once.

    Redrawing after each answer would hold up the first tokens of the next one. `progress` draws
    how far a job of many runs is.
    """
    shown = [lane for lane in job.lanes if lane.column.key in live]
    while True:
        is_done = job.is_done  # before the lanes are read, so that nothing of their end is missed
        for lane in shown:
            live[lane.column.key].update(lane)
        if progress is not None:
            progress(job)
        if is_done:
            return
        # A look at the session state lets Streamlit interrupt here, so a click is never kept
        # waiting by a loop that has nothing to draw.
        st.session_state.get("conversation_id")
        job.wait(_POLL_SECONDS)
