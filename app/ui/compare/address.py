"""What the Compare page shows, kept in its address: one experiment, the form, or the list.

`?experiment=ID` is a permalink: it opens for whoever may see that experiment.
"""

from __future__ import annotations

import streamlit as st

_ID, _DRAFT, _SETUPS = "experiment", "new", "s"


def experiment_id() -> str | None:
    return st.query_params.get(_ID) or None


def draft_key() -> str | None:
    """Which draft the form shows; another word there is none that is known."""
    return st.query_params.get(_DRAFT)


def setups() -> str | None:
    """The permalink of a comparison, where the address carries one to the form."""
    return st.query_params.get(_SETUPS)


def is_form() -> bool:
    return draft_key() is not None or setups() is not None


def show_experiment(id_: str) -> None:
    _go({_ID: id_})


def of_draft(key: str) -> dict[str, str]:
    """The form's part of the address."""
    return {_DRAFT: key}


def show_form(key: str) -> None:
    _go(of_draft(key))


def show_list() -> None:
    _go({})


def link_to(id_: str) -> str:
    """The whole permalink."""
    return f"{(st.context.url or '').partition('?')[0]}?{_ID}={id_}"


def _go(wanted: dict[str, str]) -> None:
    """Only where it is another one: each change is an entry in the browser's history."""
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
