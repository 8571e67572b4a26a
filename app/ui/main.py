"""What every page has: title, style, navigation. The page itself follows."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.ui.errors import guarded
from app.ui.figure_row import inject_style

_HERE = Path(__file__).resolve().parent
_PAGES = _HERE.parents[1] / "pages"


def main() -> None:
    # A file of our own: a Material name would be fetched from a font server.
    st.set_page_config(page_title="LLM Dyno", page_icon=_HERE / "icon.svg", layout="wide")
    st.logo(_HERE / "logo.svg", size="large")
    inject_style()
    page = st.navigation(
        [
            st.Page(_PAGES / "chat.py", title="Chat", icon=":material/forum:", default=True),
            st.Page(_PAGES / "compare.py", title="Compare", icon=":material/compare_arrows:"),
            st.Page(_PAGES / "runs.py", title="Runs", icon=":material/list_alt:"),
            st.Page(_PAGES / "machine.py", title="Machine", icon=":material/memory:"),
        ]
    )
    with guarded():
        page.run()


main()
