"""Brings the turn that was just sent into view, once, in the browser."""

from __future__ import annotations

import streamlit as st

from app.bench.jobs import Job

_JS = """
export default function ({ data }) {
  if (window.dynoScrolledTo === data.id) return;
  window.dynoScrolledTo = data.id;
  const visible = [...document.querySelectorAll(`[class*="${data.prefix}"]`)].find(
    (element) => element.offsetParent !== null,
  );
  visible?.scrollIntoView({ block: "start", behavior: "instant" });
}
"""


def scroll_to_turn(job: Job) -> None:
    """Scroll to the prompt of the job's turn, in whichever column is shown first."""
    mount = st.components.v2.component("dyno_scroll", html="<span></span>", js=_JS)
    mount(data={"id": job.id, "prefix": f"turn-{job.turn}-prompt"}, key="scroll-to-turn", height=1)
