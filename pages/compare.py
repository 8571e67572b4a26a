"""Experiments: plan one, watch it, see what it shows; or find an earlier one."""

from __future__ import annotations

from app.ui.compare.page import draw_page

draw_page()
