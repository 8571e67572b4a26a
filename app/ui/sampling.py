"""The sampling panel: one for all setups, or one of its own for a column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from pydantic import ValidationError

from app.ui import chat_state
from backends.request import Sampling


def sampling_editor(
    sampling: Sampling, key: str, save: Callable[[Sampling], None], *, disabled: bool
) -> None:
    """Every field of `Sampling`; each change is saved at once."""

    def field(name: str) -> str:
        return f"sampling-{key}-{name}"

    def changed(name: str) -> None:
        value = st.session_state[field(name)]
        if name == "stop":
            value = tuple(line for line in str(value).split("\n") if line)
        try:
            save(Sampling.model_validate(sampling.model_dump() | {name: value}))
        except ValidationError as error:
            chat_state.notice(f"Sampling: {error.errors()[0]['msg']}.")

    def common(name: str) -> dict[str, Any]:
        return {
            "key": field(name),
            "on_change": changed,
            "args": (name,),
            "disabled": disabled,
        }

    greedy = sampling.temperature == 0
    st.slider(
        "Temperature",
        0.0,
        2.0,
        sampling.temperature,
        0.05,
        help="0 is greedy: always the likeliest token.",
        **common("temperature"),
    )
    st.slider(
        "Top-p",
        0.05,
        1.0,
        sampling.top_p,
        0.05,
        help="Sample from the likeliest tokens that together have this probability."
        if not greedy
        else "Has no effect while the temperature is 0 (greedy).",
        **(common("top_p") | {"disabled": disabled or greedy}),
    )
    st.number_input(
        "Seed",
        0,
        2**31 - 1,
        sampling.seed,
        help="The same seed samples the same tokens on the same setup."
        if not greedy
        else "Has no effect while the temperature is 0 (greedy).",
        **(common("seed") | {"disabled": disabled or greedy}),
    )
    st.number_input(
        "Most new tokens", 1, 32_768, sampling.max_new_tokens, **common("max_new_tokens")
    )
    st.toggle(
        "Exactly that many",
        value=sampling.fixed_length,
        help="Equal work for every setup: the end-of-turn token is held back until then.",
        **common("fixed_length"),
    )
    st.text_area("System prompt", sampling.system_prompt, height=80, **common("system_prompt"))
    st.text_area(
        "Stop strings, one a line",
        "\n".join(sampling.stop),
        height=68,
        help="The answer ends before the first of them.",
        **common("stop"),
    )
