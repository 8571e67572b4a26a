"""Every recorded run: find, open, compare, delete with undo, export."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.bench.store import RunFilter
from app.ui.run_detail import render_run_detail
from app.ui.runs_table import (
    clear_filters,
    draw_actions,
    draw_filters,
    draw_table,
    offer_undo,
)
from app.ui.server import get_server
from backends.settings import ROOT

server = get_server()
visitor = server.visitor()
store = server.store

st.title("Runs", anchor=False)
offer_undo(store, visitor)
if not store.count(RunFilter(visitor=visitor)):
    st.markdown("Every answer in the chat is recorded here, with its figures and raw stamps.")
    if st.button("Ask something in the chat", type="primary", icon=":material/forum:"):
        st.switch_page(ROOT / "pages" / "chat.py")
    st.stop()

wanted = draw_filters(store.models(visitor), visitor)
total = store.count(replace(wanted, limit=None))
if not total:
    st.markdown("No run matches these filters.")
    st.button("Clear the filters", on_click=clear_filters)
    st.stop()

chosen = draw_table(store.runs(wanted), total)
draw_actions(store, wanted, chosen, visitor)
if len(chosen) == 1:
    run = store.run(chosen[0].id, visitor)
    if run is None:
        st.caption("This run was deleted meanwhile.")
    else:
        st.subheader(run.setup_label or run.setup.id, anchor=False)
        render_run_detail(run, with_answer=True)
elif chosen:
    st.caption("Select one run to open it.")
else:
    st.caption("Select a run to open it; select several to delete them.")
