"""Which of its three faces the Compare page shows."""

from __future__ import annotations

import streamlit as st

from app.ui import chat_state
from app.ui.compare import address
from app.ui.compare.experiment_list import draw_list
from app.ui.compare.experiment_view import draw_experiment
from app.ui.compare.plan_form import draw_plan_form
from app.ui.safe_text import plain_text_as_markdown


def draw_page() -> None:
    notice = chat_state.take_notice()
    if notice:
        st.warning(plain_text_as_markdown(notice), icon=":material/info:")
    id_ = address.experiment_id()
    if id_ is not None:
        draw_experiment(id_)
    elif address.is_form():
        draw_plan_form()
    else:
        draw_list()
