"""What of the colours only a page knows: its theme, and the classes of its style sheet."""

from __future__ import annotations

from app.charts.colors import LIGHT


def css_class(index: int) -> str:
    """The class of `style.css` that sets `--dyno-color` to a setup's colour, in either theme."""
    return f"dyno-setup-{index % len(LIGHT)}"


def is_dark_theme() -> bool:
    """Whether this visitor's page is dark, as far as the browser has told."""
    import streamlit as st

    return st.context.theme.type == "dark"
