"""The part of the form for what is measured beside the runs: quality and energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

import streamlit as st

from app.bench.energy.counters import counter_of
from app.bench.experiments.shelf import WorkloadShelf
from app.bench.quality.texts import QualityTextInvalid, quality_pieces
from app.ui.compare import actions, drafting
from app.ui.compare.draft import Draft
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server
from backends.errors import DynoError
from backends.registry import get_backend

_WIDEST = "The widest weights"


def draw_passes(draft: Draft, names: Sequence[str]) -> None:
    """Each is a pass of its own after the runs, so that it disturbs none of them. `names`: what
    the setups are called."""
    _switch(
        draft,
        "quality",
        "Quality",
        "After the runs: perplexity of a text, how far the next token's probabilities are from the "
        "reference's (KL), which answers stay the same, and how many are right where the prompts "
        "say what is.",
    )
    if draft.value("quality"):
        with st.container(horizontal=True, vertical_alignment="top", key="plan-quality-more"):
            _reference(draft, names)
            if not get_server().settings.public:  # a visitor names no files of the server
                _text(draft)
    _switch(
        draft,
        "energy",
        "Energy",
        "After the runs, the prompts once more while joules are counted (RAPL, NVML).",
    )
    if draft.value("energy"):
        for why in energy_problems(draft):
            st.caption(f":material/block: {plain_text_as_markdown(why)}")


def energy_problems(draft: Draft) -> list[str]:
    """Why there will be no energy for a device that the setups run on; empty where all are read."""
    problems: dict[str, None] = {}
    for one in draft.entries:
        device = None
        try:
            device = get_backend(one.setup.backend).device_of(one.setup)
            counter_of(device)
        except DynoError as error:
            problems[f"Not measured on {device or 'a server'}: {error.message}"] = None
    return list(problems)


def _switch(draft: Draft, name: str, title: str, about: str) -> None:
    key = f"plan-{name}-{draft.key}"
    st.toggle(
        title,
        value=bool(draft.value(name)),
        key=key,
        help=about,
        on_change=lambda: drafting.change(
            lambda one: one.with_value(name, bool(st.session_state[key]))
        ),
    )


def _reference(draft: Draft, names: Sequence[str]) -> None:
    keys = ["", *(one.key for one in draft.entries)]
    key = f"plan-quality-reference-{draft.key}"
    st.selectbox(
        "Answers are held against",
        keys,
        index=keys.index(draft.quality_reference) if draft.quality_reference in keys else 0,
        format_func=dict(zip(keys, [_WIDEST, *names], strict=True)).__getitem__,
        key=key,
        on_change=lambda: drafting.change(
            lambda one: replace(one, quality_reference=str(st.session_state[key]))
        ),
        width=300,
    )


def _text(draft: Draft) -> None:
    key = f"plan-quality-text-{draft.key}"
    chosen = str(draft.value("quality_text"))
    st.file_uploader(
        "Text to score",
        type=["txt", "md", "jsonl"],
        max_upload_size=2,
        key=key,
        on_change=lambda: actions.attempt(lambda: _take_text(key)),
        help="Without one the bundled held-out dialogues are scored. UTF-8; JSONL: “messages” in "
        "each line, whose last answer is scored.",
        width=420,
    )
    if chosen and st.session_state.get(key) is None:
        st.caption(plain_text_as_markdown(f"Now: {PurePath(chosen).name}"))


def _take_text(key: str) -> None:
    """Kept in the data folder, where the experiment finds it whenever it comes to it."""
    file = st.session_state[key]
    path = ""
    if file is not None:
        ending = PurePath(file.name).suffix.lower()
        try:
            text = file.getvalue().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise QualityTextInvalid(f"{file.name} is not UTF-8.", "Save it as UTF-8.") from error
        path = str(WorkloadShelf(get_server().settings).keep_text(text, ending))
        quality_pieces(path)
    drafting.change(lambda one: one.with_value("quality_text", path))
