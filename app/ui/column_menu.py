"""What can be done with a column: maximise, rename, clone, remove, sampling of its own."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.bench.conversation import Column
from app.ui import chat_state
from app.ui.safe_text import plain_text_as_markdown
from app.ui.sampling import sampling_editor
from backends.request import Sampling


def column_menu(
    column: Column,
    label: str,
    *,
    can_clone: bool,
    can_remove: bool,
    maximised: bool,
    on_maximise: Callable[[str], None],
) -> None:
    """The menu's first rows."""
    key = column.key
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Show all" if maximised else "Maximise",
            icon=":material/close_fullscreen:" if maximised else ":material/open_in_full:",
            key=f"maximise-{key}",
            on_click=on_maximise,
            args=(key,),
        )
        st.button(
            "Clone",
            icon=":material/content_copy:",
            key=f"clone-{key}",
            on_click=chat_state.add_column,
            args=(column.setup, key),
            disabled=not can_clone,
            help=None if can_clone else "Six setups are the most.",
        )
        st.button(
            "Remove",
            icon=":material/delete:",
            key=f"remove-{key}",
            on_click=_remove,
            args=(column, label),
            disabled=not can_remove,
            help=None if can_remove else "One setup has to stay.",
        )
    st.text_input(
        "Name",
        value=column.label,
        placeholder=label,
        max_chars=60,
        key=f"name-{key}",
        on_change=_rename,
        args=(column,),
        help="Empty: named by what differs from the other setups.",
    )


def _remove(column: Column, label: str) -> None:
    chat_state.remove_column(column.key)
    st.session_state["removed_column"] = (column, label)


def _rename(column: Column) -> None:
    name = str(st.session_state[f"name-{column.key}"]).strip()
    chat_state.set_column(column.model_copy(update={"label": name}))


def offer_undo() -> None:
    """Bring a removed column back with one click."""
    removed = st.session_state.get("removed_column")
    if removed is None:
        return
    column, label = removed
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain_text_as_markdown(f"Removed “{label}”."))
        st.button("Undo", key="undo-remove", type="tertiary", on_click=_undo, args=(column,))


def _undo(column: Column) -> None:
    st.session_state.pop("removed_column", None)

    def edit_back(columns: tuple[Column, ...]) -> tuple[Column, ...]:
        return (*columns, column)

    chat_state.edit_comparison(
        lambda comparison: comparison.model_copy(
            update={"columns": edit_back(comparison.columns)[:6]}
        )
    )


def own_sampling(column: Column, linked: Sampling, *, busy: bool) -> None:
    """Sampling for this column alone, or the one that all share."""

    def switch() -> None:
        own = linked if st.session_state[f"own-sampling-{column.key}"] else None
        chat_state.set_column(column.model_copy(update={"sampling": own}))

    st.toggle(
        "Sampling of its own",
        value=column.sampling is not None,
        key=f"own-sampling-{column.key}",
        on_change=switch,
        disabled=busy,
        help="Off: the sampling above the columns holds here too.",
    )
    if column.sampling is not None:

        def save(sampling: Sampling) -> None:
            chat_state.set_column(column.model_copy(update={"sampling": sampling}))

        sampling_editor(column.sampling, column.key, save, disabled=busy)
