"""What this machine is, what is loaded on it, what it costs, what lies where, and what works."""

from __future__ import annotations

import streamlit as st

from app.bench.doctor import diagnose
from app.ui import machine_parts
from app.ui.price_editor import draw_prices
from app.ui.server import get_server

server = get_server()
is_owner = not server.settings.public

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Machine", anchor=False)
    st.button("Read again", icon=":material/refresh:", key="machine-refresh", type="tertiary")
machine_parts.draw_messages()
if not is_owner:
    st.caption("This server is public: what is loaded and what it costs cannot be changed here.")

with st.container(key="machine-columns"):
    left, right = st.columns(2, gap="large")
with left:
    st.subheader("Device", anchor=False)
    machine_parts.draw_device(server.settings)
    st.subheader("Price", anchor=False)
    draw_prices(server.prices, can_change=is_owner)
with right:
    st.subheader("Loaded engines", anchor=False)
    machine_parts.draw_engines(server.pool, can_unload=is_owner)
    st.subheader("Queue", anchor=False)
    machine_parts.draw_queue(server.scheduler.snapshot())
    if is_owner:
        st.subheader("Data folder", anchor=False)
        machine_parts.draw_data_folder(server.settings)
if is_owner:
    st.subheader("What works here", anchor=False)
    machine_parts.draw_checks(diagnose(server.settings))
