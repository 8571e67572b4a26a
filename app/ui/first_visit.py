"""What a newcomer sees: three prompts to click, and comparisons that are ready to run."""

from __future__ import annotations

import streamlit as st

from app.bench.conversation import Conversation
from app.ui import chat_state
from app.ui.preset_buttons import draw_preset_buttons
from app.ui.presets import EXAMPLE_PROMPTS
from app.ui.toolbar import apply_preset


def draw_first_visit(conversation: Conversation) -> None:
    model = conversation.comparison.columns[0].setup.model
    st.markdown("**Ask something.** The same model answers under each setup, one after the other.")
    with st.container(horizontal=True, gap="small"):
        for index, prompt in enumerate(EXAMPLE_PROMPTS):
            st.button(prompt, key=f"example-{index}", on_click=chat_state.send, args=(prompt,))
    st.caption("Or start from a comparison")
    with st.container(horizontal=True, gap="small"):
        draw_preset_buttons(
            model, "start", apply_preset, icon=":material/compare_arrows:", width="content"
        )
