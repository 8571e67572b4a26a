"""The line above the columns: model, order, sampling, more setups, presets, share."""

from __future__ import annotations

import streamlit as st

from app.bench.conversation import MAX_COLUMNS, Comparison, Conversation
from app.ui import chat_state
from app.ui.builder import next_setup
from app.ui.compare import address, drafting
from app.ui.compare.draft import draft_of_setups
from app.ui.copy_button import copy_button
from app.ui.model_picker import draw_model_picker
from app.ui.preset_buttons import draw_preset_buttons
from app.ui.presets import Preset
from app.ui.sampling import sampling_editor
from backends.catalog import title_of
from backends.settings import ROOT


def draw_toolbar(conversation: Conversation) -> None:
    comparison = conversation.comparison
    busy = chat_state.is_busy(conversation)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="toolbar"):
        with st.popover(_model_title(comparison), icon=":material/deployed_code:", disabled=busy):
            draw_model_picker(comparison.columns[0].setup.model, chat_state.set_model)
        with st.popover("Race" if comparison.race else "Fair order", icon=":material/swap_vert:"):
            _order_picker(comparison)
        with st.popover(
            "Sampling", icon=":material/tune:", key="sampling", on_change="rerun"
        ) as panel:
            if panel.open:
                st.caption("For every setup that has no sampling of its own.")
                sampling_editor(comparison.sampling, "all", chat_state.set_sampling, disabled=busy)
        st.button(
            "Setup",
            icon=":material/add:",
            key="add-setup",
            on_click=chat_state.add_column,
            args=(next_setup([column.setup for column in comparison.columns]),),
            disabled=busy or len(comparison.columns) >= MAX_COLUMNS,
            help="One more column. What it runs is changed in its menu."
            if len(comparison.columns) < MAX_COLUMNS
            else "Six setups are the most.",
        )
        with st.popover("Presets", icon=":material/bookmarks:", disabled=busy):
            _presets(comparison)
        with st.popover("Share", icon=":material/link:"):
            _share(comparison)
        _experiment_button(comparison)


def _experiment_button(comparison: Comparison) -> None:
    """Takes the columns over to the form of a new experiment."""
    if st.button(
        "Experiment",
        icon=":material/compare_arrows:",
        key="to-experiment",
        help="Compare these in an experiment: many prompts, in turns, with intervals.",
    ):
        columns = [(column.setup, column.label) for column in comparison.columns]
        draft = draft_of_setups(columns)
        drafting.keep(draft)
        st.switch_page(ROOT / "pages" / "compare.py", query_params=address.of_draft(draft.key))


def _model_title(comparison: Comparison) -> str:
    titles = dict.fromkeys(title_of(column.setup.model) for column in comparison.columns)
    return next(iter(titles)) if len(titles) == 1 else f"{len(titles)} models"


def _order_picker(comparison: Comparison) -> None:
    st.radio(
        "How the setups answer",
        [False, True],
        index=int(comparison.race),
        format_func=lambda race: "All at once (race)" if race else "One after the other (fair)",
        captions=[
            "Each has the device to itself, so the figures are comparable.",
            "For show: the runs share the device, are marked contended and not ranked.",
        ],
        key="order-choice",
        on_change=lambda: chat_state.edit_comparison(
            lambda c: c.model_copy(update={"race": bool(st.session_state["order-choice"])})
        ),
    )
    st.toggle(
        "Shared history",
        value=comparison.shared_history,
        key="shared-history",
        help="Every setup goes on from the first one's answers, so that all get the same prompt.",
        on_change=lambda: chat_state.edit_comparison(
            lambda c: c.model_copy(
                update={"shared_history": bool(st.session_state["shared-history"])}
            )
        ),
    )


def _presets(comparison: Comparison) -> None:
    draw_preset_buttons(comparison.columns[0].setup.model, "preset", apply_preset)


def apply_preset(preset: Preset, model: str, *, send: bool = False) -> None:
    """A new conversation with the preset's setups; a preset with a prompt asks it at once."""
    chat_state.start_new(preset.comparison(model))
    if preset.prompt is not None:
        chat_state.send(preset.prompt())


def _share(comparison: Comparison) -> None:
    link = chat_state.permalink(comparison)
    if link is None:
        st.warning(
            "This comparison opens a local folder, so it has no link: the path would be shared."
        )
        return
    url = f"{(st.context.url or '').partition('?')[0]}?s={link}"
    st.caption("The link carries the setups and the sampling, never what was said.")
    st.code(url, language=None, wrap_lines=True)
    copy_button(url, key="copy-link", help="Copy the link")
