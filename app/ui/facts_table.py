"""Facts in two or three quiet columns: HTML tables whose every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def facts_html(rows: Sequence[tuple[str, ...]], headers: Sequence[str] = (), name: str = "") -> str:
    """A table whose first cell in each row is its heading. `name` is for screen readers."""
    head = ""
    if headers:
        cells = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
        head = f"<thead><tr>{cells}</tr></thead>"
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    table = f"{head}<tbody>{body}</tbody>"
    return (
        '<div class="dyno-facts-box">'
        f'<table class="dyno-facts" aria-label="{escape(name)}">{table}</table></div>'
    )


def draw_facts(
    rows: Sequence[tuple[str, ...]], headers: Sequence[str] = (), name: str = ""
) -> None:
    import streamlit as st

    st.html(facts_html(rows, headers, name))
