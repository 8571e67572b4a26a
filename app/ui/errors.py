"""Errors as people see them: what happened, what to do, and the log for whoever asks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.bench.record import ErrorNote
from app.ui.safe_text import plain_lines_as_markdown
from backends.errors import DynoError

_log = logging.getLogger("llm_dyno")


def show_error(error: DynoError | ErrorNote) -> None:
    """One box: message, remedy, and the detail folded."""
    text = f"{error.message}\n{error.remedy}".strip()
    st.error(plain_lines_as_markdown(text), icon=":material/error:")
    detail = getattr(error, "detail", "")
    if detail:
        with st.expander("Log"):
            st.code(detail, language=None)


@contextmanager
def guarded() -> Iterator[None]:
    """A page in trouble says so in a sentence; the app stays up and no traceback is shown."""
    try:
        yield
    except DynoError as error:
        show_error(error)
    except Exception as error:  # reruns and stops are BaseExceptions and pass through
        _log.exception("a page failed")
        st.error(
            f"This page failed ({type(error).__name__}). Nothing recorded is lost.\n\n"
            "Reload it; if it stays, the log has the details (Machine page, logs).",
            icon=":material/error:",
        )
