"""A button for each preset: for a newcomer, on the chat page and in the form of an experiment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from app.ui.presets import PRESETS, Preset


def draw_preset_buttons(
    model: str,
    key: str,
    take: Callable[[Preset, str], None],
    *,
    icon: str | None = None,
    width: Literal["stretch", "content"] = "stretch",
) -> None:
    """`take` is called with the one that is pressed, and the model; `key` begins their keys."""
    for preset in PRESETS:
        refusal = preset.refusal(model)
        st.button(
            preset.title,
            key=f"{key}-{preset.key}",
            help=refusal or preset.about,
            disabled=bool(refusal),
            on_click=take,
            args=(preset, model),
            icon=icon,
            width=width,
        )
