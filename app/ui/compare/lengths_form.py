"""The form's fields for a grid of lengths: how long prompts are, and how long their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import streamlit as st

from app.bench.experiments.lengths import workload_of
from app.bench.experiments.workloads import Workload
from app.ui import chat_state
from app.ui.compare import drafting
from app.ui.compare.draft import Draft
from app.ui.errors import show_error
from app.ui.server import get_server
from backends.errors import DynoError

_PROMPTS, _ANSWERS = "prompt_tokens_grid", "output_tokens_grid"
_OFFERED = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
DEFAULT_GRIDS: dict[str, object] = {_PROMPTS: (64, 256, 1024), _ANSWERS: (16, 64)}


def draw_lengths(draft: Draft) -> Workload | None:
    """Returns the grid's prompts; None while it is none."""
    with st.container(horizontal=True, key="plan-lengths"):
        _grid(draft, _PROMPTS, "Lengths of prompts (tokens)")
        _grid(draft, _ANSWERS, "Lengths of answers (tokens)")
    if draft.problems():
        return None
    try:
        workload = workload_of(draft.plan(), get_server().settings.max_prompt_chars)
    except DynoError as error:
        show_error(error)
        return None
    st.caption(
        "Each prompt length with each answer length. Prompts are plain text of about that many "
        "tokens, and each run says how many it were; answers are exactly as long."
    )
    return workload


def _grid(draft: Draft, name: str, title: str) -> None:
    key = f"plan-{name}-{draft.key}"
    chosen = cast(Sequence[int], draft.value(name))
    st.multiselect(
        title,
        [str(one) for one in sorted({*_OFFERED, *chosen})],
        default=[str(one) for one in chosen],
        accept_new_options=True,
        key=key,
        on_change=lambda: _keep(name, st.session_state[key]),
        width=420,
        help="Choose, or type another number.",
    )


def _keep(name: str, typed: Sequence[str]) -> None:
    numbers = sorted({int(one) for one in typed if one.strip().isdecimal()})
    strange = [one for one in typed if not one.strip().isdecimal()]
    if strange:
        chat_state.notice(f"“{strange[0]}” is no number of tokens. Type a whole number.")
    drafting.change(lambda one: one.with_value(name, tuple(numbers)))
