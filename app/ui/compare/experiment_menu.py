"""What can be done with an experiment, in the list and on its own page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.bench.store.experiments import MAX_NAME_CHARS
from app.ui.compare import actions, address
from app.ui.copy_button import copy_button

_RENAMED = "compare_renamed"


def draw_menu(id_: str) -> None:
    key = f"experiment-menu-{id_}"
    st.menu_button(
        "More",
        list(_ACTIONS),
        type="tertiary",
        key=key,
        help="What else can be done with it",
        on_click=lambda: _ACTIONS[str(st.session_state[key])](id_),
    )


def is_renamed(id_: str) -> bool:
    return st.session_state.get(_RENAMED) == id_


def draw_name_field(id_: str, name: str) -> None:
    """In the place of its name while it is renamed."""
    key = f"experiment-name-{id_}"

    def save() -> None:
        actions.rename(id_, str(st.session_state[key]))
        _stop_renaming()

    st.text_input(
        "Name",
        value=name,
        max_chars=MAX_NAME_CHARS,
        key=key,
        on_change=save,
        label_visibility="collapsed",
        placeholder="The plan's own name",
    )
    st.button("Done", key="experiment-name-done", on_click=_stop_renaming)


def draw_share(id_: str) -> None:
    with st.popover("Share", icon=":material/link:"):
        url = address.link_to(id_)
        st.caption("The link opens this experiment on this server, for whoever may see it.")
        st.code(url, language=None, wrap_lines=True)
        copy_button(url, key="copy-experiment-link", help="Copy the link")


def _rename(id_: str) -> None:
    st.session_state[_RENAMED] = id_


def _stop_renaming() -> None:
    st.session_state.pop(_RENAMED, None)


_ACTIONS: dict[str, Callable[[str], None]] = {
    "Run again": actions.run_again,
    "Edit a copy": actions.edit_copy,
    "Rename": _rename,
    "Delete": actions.delete,
}
