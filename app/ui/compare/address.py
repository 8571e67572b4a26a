"""What the Compare page shows, kept in its address: one experiment, the form, or the list.

`?experiment=ID` is a permalink: it opens for whoever may see that experiment.
"""

from __future__ import annotations

import streamlit as st

_ID, _SETUPS = "experiment", "s"
FORM = {"new": "1"}


def experiment_id() -> str | None:
    return st.query_params.get(_ID) or None


def setups() -> str | None:
    """The permalink of a comparison, where the address carries one to the form."""
    return st.query_params.get(_SETUPS)


def is_form() -> bool:
    return setups() is not None or FORM.items() <= st.query_params.to_dict().items()


def show_experiment(id_: str) -> None:
    st.query_params.from_dict({_ID: id_})


def show_form() -> None:
    st.query_params.from_dict(FORM)


def show_list() -> None:
    st.query_params.clear()


def link_to(id_: str) -> str:
    """The whole permalink."""
    return f"{(st.context.url or '').partition('?')[0]}?{_ID}={id_}"
