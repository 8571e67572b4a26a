"""The setups of the form: which come in, in which order, which one the others are held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape

import streamlit as st

from app.bench.conversation import Column
from app.bench.labels import labels
from app.ui.builder import next_setup, setup_editor
from app.ui.colors import css_class
from app.ui.compare import drafting
from app.ui.compare.draft import (
    MAX_SETUPS,
    Draft,
    Entry,
    added,
    draft_of_setups,
    moved,
    removed,
    with_entry,
    with_reference,
)
from app.ui.model_picker import draw_model_picker
from app.ui.preset_buttons import draw_preset_buttons
from app.ui.presets import Preset
from app.ui.safe_text import plain_text_as_markdown
from backends.capabilities import Availability
from backends.catalog import title_of
from backends.errors import DynoError
from backends.registry import get_backend
from backends.setup import Setup


def draw_setups(draft: Draft, problem: str) -> None:
    """Every setup with its menu; below, what adds more. `problem`: what is wrong with them."""
    st.subheader("Setups", anchor=False)
    _above(draft)
    names = names_of(draft)
    for index, (entry, name) in enumerate(zip(draft.entries, names, strict=True)):
        _row(draft, entry, index, name)
    if problem:
        st.error(plain_text_as_markdown(problem), icon=":material/error:")
    if len(draft.entries) > 1:
        _reference(draft, names)


def names_of(draft: Draft) -> list[str]:
    """What each setup is called: the user's own name, else what differs."""
    made = labels([one.setup for one in draft.entries])
    return [one.label or label for one, label in zip(draft.entries, made, strict=True)]


def _above(draft: Draft) -> None:
    models = list(dict.fromkeys(one.setup.model for one in draft.entries))
    title = title_of(models[0]) if len(models) == 1 else f"{len(models)} models"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="plan-tools"):
        with st.popover(title, icon=":material/deployed_code:"):
            draw_model_picker(models[0], _set_model)
        is_full = _is_full(draft)
        st.button(
            "Setup",
            icon=":material/add:",
            key="plan-add",
            on_click=_add,
            disabled=is_full,
            help=f"{MAX_SETUPS} setups are the most."
            if is_full
            else "One more; what it runs is changed in its menu.",
        )
        with st.popover("Presets", icon=":material/bookmarks:"):
            st.caption("A preset takes the place of the setups below.")
            draw_preset_buttons(models[0], "plan-preset", _take_preset)


def _row(draft: Draft, entry: Entry, index: int, name: str) -> None:
    key, is_last = entry.key, index == len(draft.entries) - 1
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"plan-setup-{index}"
    ):
        note = "reference" if index == 0 and len(draft.entries) > 1 else ""
        st.html(
            f'<div class="dyno-column-title {css_class(index)}">{escape(name)}'
            f'<span class="dyno-unit">{note}</span></div>',
            width="stretch",
        )
        with st.popover(
            "Change", icon=":material/tune:", key=f"plan-menu-{key}", on_change="rerun"
        ) as menu:
            if menu.open:
                _menu(entry, name)
        _small_button("Duplicate", "content_copy", key, _duplicate, disabled=_is_full(draft))
        _small_button("Move up", "arrow_upward", key, _up, disabled=index == 0)
        _small_button("Move down", "arrow_downward", key, _down, disabled=is_last)
        _small_button("Remove", "delete", key, _remove, disabled=len(draft.entries) == 1)
    verdict = _check(entry.setup)
    if not verdict.ok:
        st.caption(
            f":material/block: {plain_text_as_markdown(f'{verdict.reason} {verdict.remedy}')}"
        )


def _is_full(draft: Draft) -> bool:
    return len(draft.entries) >= MAX_SETUPS


def _small_button(
    name: str, icon: str, key: str, action: Callable[[str], None], *, disabled: bool
) -> None:
    st.button(
        name,
        icon=f":material/{icon}:",
        key=f"icon-{icon}-{key}",
        help=name,
        type="tertiary",
        on_click=action,
        args=(key,),
        disabled=disabled,
    )


def _menu(entry: Entry, name: str) -> None:
    st.text_input(
        "Name",
        value=entry.label,
        placeholder=name,
        max_chars=80,
        key=f"plan-name-{entry.key}",
        on_change=_rename,
        args=(entry.key,),
        help="Empty: named by what differs from the other setups.",
    )
    setup_editor(entry.column, _save, busy=False)


def _check(setup: Setup) -> Availability:
    try:
        return get_backend(setup.backend).check(setup)
    except DynoError as error:
        return Availability(False, error.message, error.remedy)


def _reference(draft: Draft, names: list[str]) -> None:
    keys = [one.key for one in draft.entries]
    st.selectbox(
        "Reference",
        keys,
        index=0,
        format_func=dict(zip(keys, names, strict=True)).__getitem__,
        key=f"plan-reference-{'-'.join(keys)}",
        on_change=lambda: _set_reference(keys),
        width=360,
        help="Every other setup is held against this one, pair by pair. It comes first.",
    )


def _set_reference(keys: list[str]) -> None:
    chosen = str(st.session_state[f"plan-reference-{'-'.join(keys)}"])
    drafting.change(lambda draft: with_reference(draft, chosen))


def _set_model(model: str) -> None:
    def edit(draft: Draft) -> Draft:
        changed = {"model": model, "revision": None}
        entries = (
            replace(one, setup=one.setup.model_copy(update=changed)) for one in draft.entries
        )
        return replace(draft, entries=tuple(entries))

    drafting.change(edit)


def _take_preset(preset: Preset, model: str) -> None:
    setups = draft_of_setups([(setup, "") for setup in preset.setups(model)])
    drafting.change(lambda draft: replace(draft, entries=setups.entries))


def _add() -> None:
    drafting.change(lambda draft: added(draft, next_setup([one.setup for one in draft.entries])))


def _duplicate(key: str) -> None:
    def edit(draft: Draft) -> Draft:
        setup = next(one.setup for one in draft.entries if one.key == key)
        return added(draft, setup, after=key)

    drafting.change(edit)


def _up(key: str) -> None:
    drafting.change(lambda draft: moved(draft, key, -1))


def _down(key: str) -> None:
    drafting.change(lambda draft: moved(draft, key, 1))


def _remove(key: str) -> None:
    drafting.change(lambda draft: removed(draft, key))


def _rename(key: str) -> None:
    label = str(st.session_state[f"plan-name-{key}"]).strip()
    drafting.change(lambda draft: with_entry(draft, key, lambda one: replace(one, label=label)))


def _save(column: Column) -> None:
    drafting.change(
        lambda draft: with_entry(draft, column.key, lambda one: replace(one, setup=column.setup))
    )
