"""The sidebar: this visitor's conversations, and the state of the machine in two lines."""

from __future__ import annotations

import re
from collections import Counter

import streamlit as st

from app.bench.conversation import Conversation
from app.bench.conversations import up_to
from app.bench.environment import hardware_name
from app.bench.export import conversation_json, conversation_markdown
from app.bench.format import figure_text, moment
from app.bench.labels import labels
from app.bench.store.values import ConversationSummary
from app.ui import chat_state
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server
from backends.errors import DynoError

_DELETED = "deleted_conversation"
_CLEARED = "cleared_conversation"
_SHOWN = 12
# What a maker writes into a processor's name and nobody needs in a narrow sidebar.
_MARKS = re.compile(r"\((R|TM|tm)\)| Processor\b| CPU\b")


def draw_sidebar(conversation: Conversation) -> None:
    with st.sidebar:
        st.button(
            "New conversation",
            icon=":material/add_comment:",
            width="stretch",
            key="new-conversation",
            on_click=chat_state.start_new,
            args=(conversation.comparison,),
        )
        if conversation.turns:
            _this_one(conversation)
        _offer_undo_clear(conversation)
        _others(conversation)
        _machine()


def _this_one(conversation: Conversation) -> None:
    with st.expander("This conversation", icon=":material/forum:"):
        st.text_input(
            "Title",
            value=conversation.title,
            max_chars=120,
            key=f"title-{conversation.id}",
            on_change=_rename,
            args=(conversation.id,),
        )
        made = labels([column.setup for column in conversation.comparison.columns])
        names = {
            column.key: column.label or label
            for column, label in zip(conversation.comparison.columns, made, strict=True)
        }
        st.download_button(
            "Markdown",
            data=lambda: conversation_markdown(conversation, figure_text, names),
            file_name="conversation.md",
            icon=":material/download:",
            width="stretch",
            on_click="ignore",
        )
        st.download_button(
            "JSON",
            data=lambda: conversation_json(conversation),
            file_name="conversation.json",
            icon=":material/download:",
            width="stretch",
            on_click="ignore",
        )
        st.button(
            "Clear",
            icon=":material/mop:",
            width="stretch",
            key="clear-conversation",
            help="Forget the turns and keep the setups. The runs stay on the Runs page.",
            on_click=_clear,
            args=(conversation,),
            disabled=chat_state.is_busy(conversation),
        )
        st.button(
            "Delete",
            icon=":material/delete:",
            width="stretch",
            key="delete-conversation",
            on_click=_delete,
            args=(conversation,),
            disabled=chat_state.is_busy(conversation),
        )


def _rename(id_: str) -> None:
    title = str(st.session_state[f"title-{id_}"]).strip()
    chat_state.change(lambda c: c.model_copy(update={"title": title}) if c.id == id_ else c)


def _clear(conversation: Conversation) -> None:
    chat_state.change(lambda c: up_to(c, 0))
    st.session_state[_CLEARED] = conversation


def _undo_clear(before: Conversation) -> None:
    st.session_state.pop(_CLEARED, None)
    chat_state.change(lambda c: before if c.id == before.id else c)


def _offer_undo_clear(conversation: Conversation) -> None:
    before = st.session_state.get(_CLEARED)
    if before is None or before.id != conversation.id or conversation.turns:
        return
    st.caption(f"Cleared {len(before.turns)} {'turn' if len(before.turns) == 1 else 'turns'}.")
    st.button("Undo", key="undo-clear", on_click=_undo_clear, args=(before,), type="tertiary")


def _delete(conversation: Conversation) -> None:
    server, visitor = get_server(), get_server().visitor()
    try:
        server.store.delete_conversation(conversation.id, visitor)
    except DynoError as error:
        chat_state.notice(f"{error.message} {error.remedy}")
        return
    server.book.forget(conversation.id)
    st.session_state[_DELETED] = (conversation.id, conversation.title)
    chat_state.start_new(conversation.comparison)


def _restore(id_: str) -> None:
    server, visitor = get_server(), get_server().visitor()
    server.store.restore_conversation(id_, visitor)
    st.session_state.pop(_DELETED, None)
    restored = server.book.get(id_, visitor)
    if restored is not None:
        chat_state.show_conversation(restored)


def _open(id_: str) -> None:
    server = get_server()
    found = server.book.get(id_, server.visitor())
    if found is None:
        chat_state.notice("This conversation is gone.")
    else:
        chat_state.show_conversation(found)


def _others(conversation: Conversation) -> None:
    server, visitor = get_server(), get_server().visitor()
    deleted = st.session_state.get(_DELETED)
    if deleted is not None:
        st.caption(plain_text_as_markdown(f"Deleted “{deleted[1]}”."))
        st.button("Undo", key="undo-delete", on_click=_restore, args=(deleted[0],), type="tertiary")
    try:
        summaries = server.store.conversations(visitor, limit=200)
    except DynoError as error:
        st.caption(f"{error.message} {error.remedy}")
        return
    others = [summary for summary in summaries if summary.id != conversation.id]
    if not others:
        return
    st.caption("Earlier conversations")
    alike = Counter(summary.title for summary in summaries)
    with st.container(gap=None):
        for summary in others[:_SHOWN]:
            _open_button(summary, is_alone=alike[summary.title] == 1)
    if len(others) > _SHOWN:
        with st.expander(f"{len(others) - _SHOWN} more"):
            for summary in others[_SHOWN:]:
                _open_button(summary, is_alone=alike[summary.title] == 1)


def _open_button(summary: ConversationSummary, *, is_alone: bool) -> None:
    """By its title; those that began alike by their time, too, first since the end is cut off."""
    title = plain_text_as_markdown((summary.title or "Untitled")[:60])
    st.button(
        title if is_alone else f":gray[{moment(summary.updated_at)}] {title}",
        key=f"open-{summary.id}",
        type="tertiary",
        width="stretch",
        on_click=_open,
        args=(summary.id,),
    )


def _machine() -> None:
    server = get_server()
    waiting = sum(queue.waiting for queue in server.scheduler.snapshot())
    engines = server.pool.count()
    st.divider()
    st.caption(
        f"{_MARKS.sub('', hardware_name())}  \n"
        f"{engines} {'engine' if engines == 1 else 'engines'} loaded · {waiting} waiting"
    )
