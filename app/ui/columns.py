"""The columns of the chat page: one setup each, its answers, their figures, its menu."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app.bench.compare import best
from app.bench.conversation import MAX_COLUMNS, Column, Conversation, Turn
from app.bench.explain import why_slower
from app.bench.format import format_row
from app.bench.jobs import Job
from app.bench.labels import labels
from app.bench.lane import Lane
from app.bench.record import RunRecord
from app.ui import chat_state
from app.ui.agreement import agreement_html
from app.ui.answer import draw_answer
from app.ui.builder import setup_editor
from app.ui.column_menu import column_menu, own_sampling
from app.ui.live import LiveAnswer, reserve
from app.ui.safe_text import plain_lines_as_markdown, plain_text_as_markdown
from backends.capabilities import Availability
from backends.errors import DynoError
from backends.registry import get_backend

_MAXIMISED = "maximised_column"
_TAB = "column_tab"
NARROW_PIXELS = 900
_RANKED = ("ttft_ns", "tpot_ns", "decode_tokens_per_second", "peak_memory_bytes", "cost_dollars")


@dataclass(frozen=True, slots=True)
class Shown:
    """A column as it is drawn: where it stands and what it is called."""

    index: int
    column: Column
    label: str


def draw_columns(conversation: Conversation, job: Job | None) -> dict[str, LiveAnswer]:
    """Draw every column; returns the places that a running job writes into, by column key."""
    shown = _shown(conversation)
    visible = _visible(shown)
    _narrow_tabs(visible)
    ranking = {turn.index: _best_of(turn) for turn in conversation.turns}
    live: dict[str, LiveAnswer] = {}
    with st.container(key="columns"):
        places = st.columns(len(visible), gap="medium")
    for place, item in zip(places, visible, strict=True):
        with place, st.container(key=f"column-{item.index}", gap="xsmall"):
            _header(item, conversation, maximised=len(visible) < len(shown))
            if not conversation.turns:
                _not_ready(item)
            for turn in conversation.turns:
                _prompt(item, turn)
                lane = _lane(item, turn, job)
                made = lane.record if lane is not None else None
                # The lane's record first: it may be newer than the conversation as it was read.
                run = made or turn.runs.get(item.column.key)
                if job is not None and lane is not None and made is None and not job.is_done:
                    live[item.column.key] = reserve(item.label)
                elif run is not None:
                    is_last = turn.index == len(conversation.turns) - 1
                    draw_answer(
                        run,
                        turn,
                        label=item.label,
                        best={name for name, ids in ranking[turn.index].items() if run.id in ids},
                        agreement=agreement_html(run, turn, shown[0].column.key, shown[0].label),
                        slower=_slower(run, turn, shown[0]),
                        is_last=is_last,
                    )
                else:
                    _no_answer(item, turn, conversation)
    return live


def _slower(run: RunRecord, turn: Turn, first: Shown) -> str:
    """Why this answer came slower than the first column's, where it plainly did."""
    reference = turn.runs.get(first.column.key)
    return "" if reference is None else why_slower(run, reference)


def _lane(item: Shown, turn: Turn, job: Job | None) -> Lane | None:
    """Where a job answers this turn in this column; repeats answer nothing anew."""
    if job is None or job.turn != turn.index or job.purpose != "chat":
        return None
    return job.lane(item.column.key)


def _shown(conversation: Conversation) -> list[Shown]:
    columns = conversation.comparison.columns
    made = labels([column.setup for column in columns])
    return [
        Shown(index, column, column.label or made[index]) for index, column in enumerate(columns)
    ]


def _visible(shown: list[Shown]) -> list[Shown]:
    key = st.session_state.get(_MAXIMISED)
    return [item for item in shown if item.column.key == key] or shown


def _narrow_tabs(visible: list[Shown]) -> None:
    """On a narrow screen one column shows at a time; on a wide one these tabs are hidden."""
    if len(visible) < 2:
        return
    with st.container(key="narrow-tabs"):
        chosen = st.segmented_control(
            "Setup",
            options=[item.index for item in visible],
            format_func={
                item.index: plain_text_as_markdown(item.label) for item in visible
            }.__getitem__,
            default=visible[0].index,
            required=True,
            key=f"{_TAB}-{'-'.join(item.column.key for item in visible)}",
            label_visibility="collapsed",
        )
    hidden = [f".st-key-column-{item.index}" for item in visible if item.index != chosen]
    rule = ", ".join(f"[data-testid='stColumn']:has(> div {name})" for name in hidden)
    st.html(
        f"<style>@media (max-width: {NARROW_PIXELS - 1}px) {{ {rule} {{display: none}} }}</style>"
    )


def _header(item: Shown, conversation: Conversation, *, maximised: bool) -> None:
    from app.ui.colors import css_class

    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"head-{item.index}"
    ):
        st.html(
            f'<div class="dyno-column-title {css_class(item.index)}" role="heading" '
            f'aria-level="2">{_escaped(item.label)}</div>'
        )
        with st.popover(
            "Setup menu",
            icon=":material/more_horiz:",
            type="tertiary",
            help="Setup menu",
            key=f"menu-{item.column.key}",
            on_change="rerun",
        ) as menu:
            if menu.open:  # a dozen widgets a column, drawn only when somebody looks
                _menu(item, conversation, maximised=maximised)


def _menu(item: Shown, conversation: Conversation, *, maximised: bool) -> None:
    column_menu(
        item.column,
        item.label,
        can_clone=len(conversation.comparison.columns) < MAX_COLUMNS,
        can_remove=len(conversation.comparison.columns) > 1,
        maximised=maximised,
        on_maximise=_toggle_maximised,
    )
    busy = chat_state.is_busy(conversation)
    setup_editor(item.column, chat_state.set_column, busy=busy)
    own_sampling(item.column, conversation.comparison.sampling, busy=busy)


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)


def _toggle_maximised(key: str) -> None:
    now = st.session_state.get(_MAXIMISED)
    st.session_state[_MAXIMISED] = None if now == key else key


def _not_ready(item: Shown) -> None:
    """Before anything is asked: why this setup cannot answer, and what to do."""
    try:
        verdict = get_backend(item.column.setup.backend).check(item.column.setup)
    except DynoError as error:
        verdict = Availability(False, error.message, error.remedy)
    if not verdict.ok:
        text = plain_text_as_markdown(f"{verdict.reason} {verdict.remedy}")
        st.caption(f":material/block: {text}")


def _prompt(item: Shown, turn: Turn) -> None:
    box = st.container(key=f"turn-{turn.index}-prompt-{item.index}")
    with box, st.chat_message("user", avatar=":material/person:"):
        st.markdown(plain_lines_as_markdown(turn.prompt))


def _no_answer(item: Shown, turn: Turn, conversation: Conversation) -> None:
    with st.chat_message("assistant", avatar=":material/smart_toy:"):
        st.caption("No answer: this setup was added later, or the app ended before it was done.")
        if turn.index == len(conversation.turns) - 1:
            st.button(
                "Answer it here too",
                key=f"answer-{item.column.key}-{turn.index}",
                on_click=chat_state.regenerate,
                args=(item.column.key,),
                disabled=chat_state.is_busy(conversation),
            )


def _best_of(turn: Turn) -> dict[str, set[str]]:
    """Ids of the best runs of a turn by figure; empty unless the runs are comparable."""
    records = list(turn.runs.values())
    if len(records) < 2:
        return {name: set() for name in _RANKED}
    return {name: set(best(records, name, format_row)) for name in _RANKED}
