"""Which conversation this page shows, and every way of changing it.

The URL holds the comparison (`s`, a permalink) and the conversation (`c`, private to its visitor),
so a refresh comes back to where it was, running job included.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.bench.context import Overflow, overflows
from app.bench.conversation import MAX_COLUMNS, Column, Comparison, Conversation
from app.bench.conversations import up_to, with_dropped_turn, with_turn
from app.bench.fitting import default_model, gpu_memory_bytes
from app.bench.jobs import Job
from app.ui.presets import DEFAULT_PRESET
from app.ui.server import get_server
from backends.catalog import catalog
from backends.errors import DynoError, InvalidSetup
from backends.request import Sampling
from backends.setup import Setup

_ID = "conversation_id"
_NOTICE = "chat_notice"
PENDING = "prompt_that_does_not_fit"


def current() -> Conversation:
    """The conversation of this page: from the session, the URL, or a new one."""
    server, visitor = get_server(), get_server().visitor()
    for id_ in (st.query_params.get("c"), st.session_state.get(_ID)):
        found = server.book.get(id_, visitor) if id_ else None
        if found is not None and _permalink_matches(found):
            return _show(found)
    return _show(server.book.start(_comparison_from_url(), visitor))


def _permalink_matches(conversation: Conversation) -> bool:
    """Whether the URL's comparison is this conversation's; another one means a new conversation."""
    link = st.query_params.get("s")
    return link is None or link == permalink(conversation.comparison)


def _comparison_from_url() -> Comparison:
    link = st.query_params.get("s")
    if link is None:
        return _first_comparison()
    try:
        comparison = Comparison.from_permalink(link)
        if get_server().settings.public:
            refuse_private_models(comparison)
        return comparison
    except DynoError as error:
        notice(f"{error.message} {error.remedy}")
        return _first_comparison()


def _first_comparison() -> Comparison:
    return DEFAULT_PRESET.comparison(default_model(catalog().values(), gpu_memory_bytes()))


def refuse_private_models(comparison: Comparison) -> None:
    """In public mode only catalog models may be opened. Raises `InvalidSetup`."""
    for column in comparison.columns:
        if column.setup.model not in catalog():
            raise InvalidSetup(
                "This server offers the models of its catalog only.", "Choose one of them."
            )


def _show(conversation: Conversation) -> Conversation:
    """Remember the conversation in the session and in the URL."""
    st.session_state[_ID] = conversation.id
    link = permalink(conversation.comparison)
    wanted = {"c": conversation.id} | ({"s": link} if link else {})
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    return conversation


def permalink(comparison: Comparison) -> str | None:
    """The link's value, or None where it would carry a local path."""
    try:
        return comparison.to_permalink()
    except InvalidSetup:
        return None


def notice(text: str) -> None:
    """Say something once, at the top of the next drawing."""
    st.session_state[_NOTICE] = text


def take_notice() -> str | None:
    text = st.session_state.pop(_NOTICE, None)
    return str(text) if text else None


def show_conversation(conversation: Conversation) -> None:
    """Switch this page to another conversation (for callbacks)."""
    _show(conversation)


def start_new(comparison: Comparison) -> None:
    """A new, empty conversation with these columns."""
    server = get_server()
    _show(server.book.start(comparison, server.visitor()))


def job_of(conversation: Conversation) -> Job | None:
    return get_server().jobs.of(conversation.id, conversation.visitor)


def is_busy(conversation: Conversation) -> bool:
    job = job_of(conversation)
    return job is not None and not job.is_done


def change(edit: Callable[[Conversation], Conversation]) -> Conversation:
    """Apply an edit to the current conversation through the book, and keep the URL true."""
    server, visitor = get_server(), get_server().visitor()
    id_ = st.session_state.get(_ID)
    changed = server.book.change(id_, visitor, edit) if id_ else None
    return _show(changed if changed is not None else current())


def edit_comparison(edit: Callable[[Comparison], Comparison]) -> None:
    change(lambda c: c.model_copy(update={"comparison": edit(c.comparison)}))


def set_column(column: Column) -> None:
    """Replace the column with the same key."""
    edit_comparison(
        lambda comparison: comparison.model_copy(
            update={
                "columns": tuple(
                    column if old.key == column.key else old for old in comparison.columns
                )
            }
        )
    )


def add_column(setup: Setup, after: str | None = None) -> None:
    """Add a column at the end, or right after another."""

    def edit(comparison: Comparison) -> Comparison:
        if len(comparison.columns) >= MAX_COLUMNS:
            return comparison
        columns = list(comparison.columns)
        keys = [column.key for column in columns]
        at = keys.index(after) + 1 if after in keys else len(columns)
        columns.insert(at, Column(setup=setup))
        return comparison.model_copy(update={"columns": tuple(columns)})

    edit_comparison(edit)


def remove_column(key: str) -> None:
    def edit(comparison: Comparison) -> Comparison:
        columns = tuple(column for column in comparison.columns if column.key != key)
        return comparison.model_copy(update={"columns": columns}) if columns else comparison

    edit_comparison(edit)


def set_sampling(sampling: Sampling) -> None:
    edit_comparison(lambda comparison: comparison.model_copy(update={"sampling": sampling}))


def set_model(model: str) -> None:
    """The same model in every column."""
    edit_comparison(
        lambda comparison: comparison.model_copy(
            update={
                "columns": tuple(
                    column.model_copy(
                        update={
                            "setup": column.setup.model_copy(
                                update={"model": model, "revision": None}
                            )
                        }
                    )
                    for column in comparison.columns
                )
            }
        )
    )


def send(prompt: str, before_turn: int | None = None, *, without_check: bool = False) -> None:
    """Ask all setups. `before_turn` first forgets that turn and what follows (edit-and-resend).

    A prompt that would overflow a context window is held back and kept as pending, unless
    `without_check`.
    """
    server = get_server()
    limit = server.settings.max_prompt_chars
    if not prompt.strip():
        notice("The prompt is empty. Type a question.")
        return
    if len(prompt) > limit:
        notice(f"The prompt has {len(prompt):,} characters; at most {limit:,} are taken.")
        return
    if is_busy(current()):
        notice("The setups are still answering. Stop them or wait.")
        return

    def edit(conversation: Conversation) -> Conversation:
        kept = up_to(conversation, before_turn) if before_turn is not None else conversation
        return with_turn(kept, prompt)

    if before_turn is None and not without_check:
        found = overflows(server.pool, current(), prompt)
        if found:
            st.session_state[PENDING] = (prompt, found)
            return
    st.session_state.pop(PENDING, None)
    conversation = change(edit)
    server.jobs.answer(conversation, conversation.turns[-1].index, begin=False)


def regenerate(column_key: str | None = None) -> None:
    """Answer the last turn again, in one column or in all."""
    conversation = current()
    if not conversation.turns or is_busy(conversation):
        return
    columns = [c for c in conversation.comparison.columns if column_key in (None, c.key)]
    turn = conversation.turns[-1].index
    get_server().jobs.answer(conversation, turn, columns, begin=False)


def forget_oldest_turns(column_key: str) -> None:
    """Send fewer of the oldest turns in one column from now on."""
    _drop_turns(column_key)


def _drop_turns(column_key: str) -> bool:
    """Leave out the older half of the turns that this column still sends. False if none is left."""
    conversation = current()
    answered = len(conversation.turns)
    dropped = conversation.dropped_turns.get(column_key, 0)
    if answered - 1 <= dropped:
        notice("There is no older turn left to drop. Shorten the prompt or clear the conversation.")
        return False
    more = max(1, (answered - dropped) // 2)
    change(lambda c: with_dropped_turn(c, column_key, dropped + more))
    return True


def drop_oldest_turns(column_key: str) -> None:
    """Make room in a column's context window and ask it again."""
    if _drop_turns(column_key):
        regenerate(column_key)


def drop_turns_and_send(prompt: str, found: list[Overflow]) -> None:
    """Leave out as many of the oldest turns as each column must, then ask."""

    def edit(conversation: Conversation) -> Conversation:
        for overflow in found:
            if overflow.turns_to_drop is not None:
                conversation = with_dropped_turn(
                    conversation, overflow.column.key, overflow.turns_to_drop
                )
        return conversation

    change(edit)
    send(prompt, without_check=True)


def forget_pending() -> None:
    st.session_state.pop(PENDING, None)


def stop() -> None:
    job = job_of(current())
    if job is not None:
        job.cancel()
