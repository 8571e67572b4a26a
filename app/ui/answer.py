"""A finished answer: its text, what is special about it, its figures, and what can be done next."""

from __future__ import annotations

from html import escape

import streamlit as st

from app.bench import figures
from app.bench.conversation import Turn
from app.bench.format import counted, duration, figure_text, grouped, told_text
from app.bench.record import RunRecord
from app.ui import chat_state
from app.ui.copy_button import copy_button
from app.ui.errors import show_error
from app.ui.figure_row import render_figures
from app.ui.guesses import cycle_line, guesses_html
from app.ui.run_detail import render_run_detail
from app.ui.safe_text import safe_markdown


def draw_answer(
    run: RunRecord,
    turn: Turn,
    *,
    label: str,
    best: set[str],
    agreement: str,
    slower: str,
    is_last: bool,
) -> None:
    """One bubble with its remarks, one row of figures, whether the setups agree (HTML), small
    buttons."""
    with st.chat_message("assistant", avatar=":material/smart_toy:"):
        if run.reasoning:
            with st.expander(_thought_title(run), icon=":material/psychology:"):
                st.markdown(safe_markdown(run.reasoning), anchors=False)
        if run.answer and _shows_guesses(run):
            st.html(guesses_html(run))
        elif run.answer:
            st.markdown(safe_markdown(run.answer), anchors=False)
        if run.error is not None:
            show_error(run.error)
            if run.error.type == "ContextFull" and is_last:
                st.button(
                    "Drop the oldest turns and ask again",
                    icon=":material/content_cut:",
                    key=f"drop-{run.id}",
                    on_click=chat_state.drop_oldest_turns,
                    args=(run.column_key,),
                )
        elif not run.answer:
            st.caption(_no_answer(run))
        notes = remarks(run)
        if notes:
            st.caption(" · ".join(notes))
    render_figures(run, best, peers=list(turn.runs.values()), label=label)
    if agreement:
        st.html(f'<div class="dyno-agreement">{agreement}</div>')
    for line in filter(None, (cycle_line(run, turn), slower)):
        st.html(f'<div class="dyno-agreement">{escape(line)}</div>')
    _tools(run, turn, is_last=is_last)


def _no_answer(run: RunRecord) -> str:
    if run.reasoning:
        return "It thought, and did not come to an answer."
    return "No text." if run.status == "finished" else "Stopped before the first token."


def _thought_title(run: RunRecord) -> str:
    """How long it thought, and in how many tokens."""
    first, answer = figures.ttft(run).value, figures.answer_ttft(run).value
    took = ""
    if isinstance(first, int) and isinstance(answer, int):
        took = f" for {duration(answer - first)}"
    tokens = figures.reasoning_tokens(run)
    counted = f", {told_text(tokens)}" if tokens.value is not None else ""
    return f"Thought{took}{counted}"


def _has_guesses(run: RunRecord) -> bool:
    return run.speculation is not None and any(chunk.accepted for chunk in run.chunks)


def _guesses_key(run: RunRecord) -> str:
    return f"guesses-{run.id}"


def _shows_guesses(run: RunRecord) -> bool:
    return _has_guesses(run) and bool(st.session_state.get(_guesses_key(run)))


def remarks(run: RunRecord) -> list[str]:
    """What a reader should know about this run beside its figures."""
    notes: list[str] = []
    if run.status == "stopped":
        stop = figures.stop_time(run).value
        after = run.usage.tokens_after_stop if run.usage else 0
        took = f" in {duration(stop)}" if stop is not None else ""
        notes.append(f"Stopped{took}, {counted(after, 'token')} made after it")
    elif run.finish_reason == "length":
        notes.append("Ended at the length limit")
    if run.speculation is not None and run.speculation.drafted:
        guesses = run.speculation
        notes.append(
            f"{grouped(guesses.accepted)} of {grouped(guesses.drafted)} guesses accepted, "
            f"{figure_text(figures.tokens_per_pass(run)).rstrip('×')} tokens a pass"
        )
    if run.contended:
        notes.append("Contended: it shared the device (race)")
    if run.environment.chat_template == "plain" and run.status != "failed":
        notes.append("The checkpoint has no chat template: prompts are sent as plain text")
    if run.load_seconds is not None:
        loaded = f"Loaded in {duration(int(run.load_seconds * 1e9))}"
        if run.compile_seconds is not None:
            loaded += f", {duration(int(run.compile_seconds * 1e9))} of it compiling,"
        if run.warm_up_seconds is not None:
            loaded += f" and warmed up in {duration(int(run.warm_up_seconds * 1e9))} before"
        notes.append(loaded)
    return notes


def _tools(run: RunRecord, turn: Turn, *, is_last: bool) -> None:
    with st.container(horizontal=True, gap="xxsmall", vertical_alignment="center"):
        copy_button(run.answer, key=f"copy-{run.id}", help="Copy the answer as Markdown")
        if is_last:
            st.button(
                "Answer again",
                icon=":material/refresh:",
                key=f"again-{run.id}",
                type="tertiary",
                help="Answer again with this setup",
                on_click=chat_state.regenerate,
                args=(run.column_key,),
            )
        if st.button(
            "Edit the prompt",
            icon=":material/edit:",
            key=f"edit-{run.id}",
            type="tertiary",
            help="Edit the prompt and ask all setups again from here",
        ):
            _edit(turn)
        if _has_guesses(run):
            st.toggle(
                "Who wrote it",
                key=_guesses_key(run),
                help="Tint what was guessed and kept; the rest the model wrote itself",
            )
    with st.expander("Record", key=f"record-{run.id}", on_change="rerun", type="compact") as record:
        if record.open:
            render_run_detail(run)


@st.dialog("Edit and ask again")
def _edit(turn: Turn) -> None:
    prompt = st.text_area("Prompt", value=turn.prompt, height=160)
    st.caption(
        "This turn and the ones after it are answered anew; earlier runs stay on the Runs page."
    )
    if st.button("Ask all setups", type="primary"):
        chat_state.send(prompt, before_turn=turn.index)
        st.rerun()
