"""Chat with one model under several setups, side by side."""

from __future__ import annotations

import streamlit as st

from app.ui import chat_state
from app.ui.chart_panel import draw_charts
from app.ui.column_menu import offer_undo
from app.ui.columns import draw_columns
from app.ui.drawn import begin_when_drawn
from app.ui.first_visit import draw_first_visit
from app.ui.live import follow
from app.ui.notices import draw_notices
from app.ui.prompt_bar import draw_prompt_bar
from app.ui.sidebar import draw_sidebar
from app.ui.toolbar import draw_toolbar
from app.ui.verdict import draw_verdict

conversation = chat_state.current()
job = chat_state.job_of(conversation)
# Looked at once: a job that ends while this is drawn is drawn once more, never left half shown.
is_running = job is not None and not job.is_done
draw_sidebar(conversation)
draw_toolbar(conversation)
draw_notices(conversation)
offer_undo()
live = draw_columns(conversation, job)
# Also where nothing is drawn there: else its buttons stay while the first answers run.
first_visit = st.empty()
if not conversation.turns:
    with first_visit.container():
        draw_first_visit(conversation)
draw_prompt_bar(conversation, job)
progress = None
if job is None or not is_running or job.purpose != "chat":
    # While answers stream the last drawing of these stays: their redrawing would cost what is
    # being measured, and the first token would wait behind it.
    progress = draw_verdict(conversation, job)
    draw_charts(conversation)
if job is not None and is_running:
    begin_when_drawn(job)
    follow(job, live, progress)
    st.rerun()
