"""The part of the form that says what is asked: a built-in set, pasted prompts, a file, or a
grid of lengths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast, get_args

import streamlit as st

from app.bench.experiments.workload_files import READERS
from app.bench.experiments.workloads import (
    MAX_FILE_BYTES,
    Workload,
    built_in,
    load_workload,
    pasted,
    prompts_of,
    uploaded,
)
from app.bench.format import grouped
from app.ui.compare import drafting
from app.ui.compare.draft import Draft, WorkloadSource
from app.ui.compare.lengths_form import DEFAULT_GRIDS, draw_lengths
from app.ui.errors import show_error
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server
from backends.errors import DynoError

_SOURCES: dict[WorkloadSource, str] = {
    "built in": "Built in",
    "pasted": "Paste",
    "file": "File",
    "lengths": "Lengths",
}
_ABOUT = {
    "short-chat": "short questions as in a chat",
    "list": "answers that are lists",
    "rewriting": "texts to be rewritten: much of the prompt comes back",
    "long-context": "long prompts, where prefill and cache weigh",
    "conversations": "several turns, each with what was said before",
    "code-like": "code to be completed or changed",
    "facts": "questions with a right answer",
}
_PREVIEWED = 5
_PREVIEW_CHARS = 110
_PROBLEM = "compare_workload_problem"


def draw_workload(draft: Draft) -> Workload | None:
    """Choose what is asked; returns it, None while there is nothing to ask."""
    st.subheader("Prompts", anchor=False)
    _source_picker(draft)
    problem: DynoError | None = st.session_state.get(_problem_key(draft))
    match draft.source:
        case "built in":
            _built_in_picker(draft)
        case "pasted":
            _paste_field(draft)
        case "file":
            _upload_field(draft)
        case "lengths":
            return draw_lengths(draft)
    if problem is not None and draft.source != "built in":
        show_error(problem)
        return None
    workload = load_workload(draft.built_in) if draft.source == "built in" else draft.own
    if workload is not None:
        _preview(workload)
    return workload


def _source_picker(draft: Draft) -> None:
    key = f"plan-source-{draft.key}"

    def choose() -> None:
        source = cast(WorkloadSource, st.session_state[key])
        st.session_state.pop(_problem_key(draft), None)
        drafting.change(
            lambda one: replace(
                one, source=source, own=None, pasted="", values={**DEFAULT_GRIDS, **one.values}
            )
        )

    st.segmented_control(
        "Where the prompts come from",
        get_args(WorkloadSource),
        default=draft.source,
        format_func=_SOURCES.__getitem__,
        required=True,
        key=key,
        on_change=choose,
        label_visibility="collapsed",
    )


def _built_in_picker(draft: Draft) -> None:
    key, names = f"plan-built-in-{draft.key}", built_in()
    st.selectbox(
        "Set",
        names,
        index=names.index(draft.built_in) if draft.built_in in names else 0,
        format_func=lambda name: f"{name}: {_ABOUT[name]}" if name in _ABOUT else name,
        key=key,
        on_change=lambda: drafting.change(
            lambda one: replace(one, built_in=str(st.session_state[key]))
        ),
        width=520,
    )


def _paste_field(draft: Draft) -> None:
    key = f"plan-pasted-{draft.key}"

    def take() -> None:
        text = str(st.session_state[key])
        limit = get_server().settings.max_prompt_chars
        own = _attempt(draft, lambda: pasted(text, limit)) if text.strip() else None
        drafting.change(lambda one: replace(one, own=own, pasted=text))

    st.text_area(
        "One prompt a line",
        value=draft.pasted,
        height=160,
        key=key,
        on_change=take,
        placeholder="What is the KV cache?\nName the capital of Portugal.",
    )


def _upload_field(draft: Draft) -> None:
    key = f"plan-upload-{draft.key}"

    def take() -> None:
        file = st.session_state[key]
        limit = get_server().settings.max_prompt_chars
        st.session_state.pop(_problem_key(draft), None)
        own = (
            _attempt(draft, lambda: uploaded(file.name, file.getvalue(), limit))
            if file is not None
            else None
        )
        drafting.change(lambda one: replace(one, own=own))

    st.file_uploader(
        "A file of prompts",
        type=[ending[1:] for ending in READERS],
        max_upload_size=MAX_FILE_BYTES // 1_000_000,
        key=key,
        on_change=take,
        help="UTF-8. TXT: a prompt a line. CSV: a column “prompt”. JSONL: “prompt” or “messages” "
        "in each line. JSON: ShareGPT's form.",
    )


def _attempt(draft: Draft, read: Callable[[], Workload]) -> Workload | None:
    """What was read, or None with the problem kept for the next drawing."""
    st.session_state.pop(_problem_key(draft), None)
    try:
        return read()
    except DynoError as error:
        st.session_state[_problem_key(draft)] = error
        return None


def _problem_key(draft: Draft) -> str:
    return f"{_PROBLEM}-{draft.key}"


def _preview(workload: Workload) -> None:
    """How many prompts there are, and how the first ones begin."""
    prompts = sum(workload.turns)
    conversations = len(workload.conversations)
    said = f"{grouped(prompts)} {'prompt' if prompts == 1 else 'prompts'}"
    if conversations != prompts:
        said += f" in {grouped(conversations)} conversations"
    firsts = [prompts_of(one)[0][-1].content for one in workload.conversations[:_PREVIEWED]]
    lines = [f"- {plain_text_as_markdown(_start(one))}" for one in firsts]
    if conversations > _PREVIEWED:
        lines.append(f"- and {grouped(conversations - _PREVIEWED)} more")
    with st.container(key="plan-preview"):
        st.caption(f"{said}:\n" + "\n".join(lines))


def _start(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _PREVIEW_CHARS else f"{line[:_PREVIEW_CHARS].rstrip()} …"
