"""What the Compare page shows, kept in its address: one experiment, the form, or the list.

`?experiment=ID` is a permalink: it opens for whoever may see that experiment.
"""

from __future__ import annotations

import streamlit as st

_ID, _FORM, _SETUPS = "experiment", "new", "s"


def experiment_id() -> str | None:
    return st.query_params.get(_ID) or None


def is_form() -> bool:
    """Also where the address carries setups to be compared, as one from the chat does."""
    return _FORM in st.query_params or _SETUPS in st.query_params


def show_experiment(id_: str) -> None:
    st.query_params.from_dict({_ID: id_})


def show_form() -> None:
    st.query_params.from_dict({_FORM: "1"})


def show_list() -> None:
    st.query_params.clear()


def link_to(id_: str) -> str:
    """The whole permalink."""
    return f"{(st.context.url or '').partition('?')[0]}?{_ID}={id_}"
