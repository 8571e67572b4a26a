"""What can be done with an experiment, in the list and on its own page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.bench.experiments.experiment import Experiment
from app.ui.compare import actions, address
from app.ui.copy_button import copy_button

_ACTIONS: dict[str, Callable[[Experiment], None]] = {
    "Run again": actions.run_again,
    "Edit a copy": actions.edit_copy,
}


def draw_menu(experiment: Experiment) -> None:
    key = f"experiment-menu-{experiment.id}"

    def act() -> None:
        _ACTIONS[st.session_state[key]](experiment)

    st.menu_button(
        "More",
        list(_ACTIONS),
        type="tertiary",
        key=key,
        help="What else can be done with it",
        on_click=act,
    )


def draw_share(experiment: Experiment) -> None:
    with st.popover("Share", icon=":material/link:"):
        url = address.link_to(experiment.id)
        st.caption("The link opens this experiment on this server, for whoever may see it.")
        st.code(url, language=None, wrap_lines=True)
        copy_button(url, key="copy-experiment-link", help="Copy the link")
