"""The conversations that are open in this server, in front of the store.

Pages and jobs change a conversation only through this book, so a refresh, a second tab and a job
see the same one. What the store cannot take stays here, is told, and can be tried again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable

from app.bench.conversation import Comparison, Conversation, Turn, new_conversation_id
from app.bench.record import RunRecord
from app.bench.store import Store
from backends.errors import DynoError, NotRecorded

_OPEN_CONVERSATIONS = 50


class ConversationBook:
    """Conversations by id. A visitor of None is the machine's owner, who sees all."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._open: OrderedDict[str, Conversation] = OrderedDict()
        self._unrecorded: OrderedDict[str, RunRecord] = OrderedDict()

    def start(self, comparison: Comparison, visitor: str) -> Conversation:
        """A new conversation. It reaches the store with its first turn: empty ones are not kept."""
        now = dt.datetime.now(dt.UTC)
        conversation = Conversation(
            id=new_conversation_id(),
            visitor=visitor,
            comparison=comparison,
            created_at=now,
            updated_at=now,
        )
        with self._lock:
            self._keep(conversation)
        return conversation

    def get(self, id_: str, visitor: str) -> Conversation | None:
        """The visitor's conversation, from memory or from the store; None if there is none."""
        with self._lock:
            conversation = self._open.get(id_)
            if conversation is None:
                try:
                    conversation = self._store.conversation(id_, visitor)
                except DynoError:
                    conversation = None
                if conversation is None:
                    return None
                self._keep(conversation)
            return conversation if conversation.visitor == visitor else None

    def change(
        self, id_: str, visitor: str, change: Callable[[Conversation], Conversation]
    ) -> Conversation | None:
        """Apply `change` and store the outcome; what cannot be stored is kept here all the same."""
        with self._lock:
            conversation = self.get(id_, visitor)
            if conversation is None:
                return None
            changed = change(conversation).model_copy(
                update={"updated_at": dt.datetime.now(dt.UTC)}
            )
            self._keep(changed)
            if changed.turns or conversation.turns:
                # The store remembers its problem, and the next save tries again.
                with contextlib.suppress(NotRecorded):
                    self._store.save_conversation(changed)
            return changed

    def add_run(self, record: RunRecord) -> NotRecorded | None:
        """Commit a run, then put it in its conversation. Returns why it was not recorded, if so."""
        problem: NotRecorded | None = None
        try:
            self._store.save_run(record)
        except NotRecorded as error:
            problem = error
            with self._lock:
                self._unrecorded[record.id] = record
        if record.conversation_id is not None and record.purpose == "chat":
            with self._lock:
                conversation = self._open.get(record.conversation_id)
                if conversation is not None:
                    self._keep(with_run(conversation, record))
        return problem

    def unrecorded(self, visitor: str) -> list[RunRecord]:
        """Runs of a visitor that the store could not take."""
        with self._lock:
            return [record for record in self._unrecorded.values() if record.visitor == visitor]

    def retry(self, visitor: str) -> None:
        """Try to store what could not be stored. Raises `NotRecorded` with the reason."""
        for record in self.unrecorded(visitor):
            if record.conversation_id is not None:
                conversation = self._open.get(record.conversation_id)
                if conversation is not None:
                    self._store.save_conversation(conversation)
            self._store.save_run(record)
            with self._lock:
                self._unrecorded.pop(record.id, None)

    def forget(self, id_: str) -> None:
        """Drop a conversation from memory (it was deleted or changed in the store)."""
        with self._lock:
            self._open.pop(id_, None)

    def _keep(self, conversation: Conversation) -> None:
        self._open[conversation.id] = conversation
        self._open.move_to_end(conversation.id)
        while len(self._open) > _OPEN_CONVERSATIONS:
            self._open.popitem(last=False)


def with_turn(conversation: Conversation, prompt: str) -> Conversation:
    """One more turn, without answers yet. The first prompt gives the title."""
    turn = Turn(index=len(conversation.turns), prompt=prompt, created_at=dt.datetime.now(dt.UTC))
    title = conversation.title or " ".join(prompt.split())[:60]
    return conversation.model_copy(update={"turns": (*conversation.turns, turn), "title": title})


def with_run(conversation: Conversation, record: RunRecord) -> Conversation:
    """The conversation with `record` as the answer of its turn and column.

    A late answer to a prompt that was edited since is not put under the new one.
    """
    if record.turn is None or record.column_key is None or record.turn >= len(conversation.turns):
        return conversation
    turns = list(conversation.turns)
    turn = turns[record.turn]
    if record.request.messages[-1].content != turn.prompt:
        return conversation
    turns[record.turn] = turn.model_copy(update={"runs": {**turn.runs, record.column_key: record}})
    return conversation.model_copy(update={"turns": tuple(turns)})


def up_to(conversation: Conversation, turn: int) -> Conversation:
    """The conversation before `turn` (for regenerate and edit-and-resend)."""
    dropped = {key: min(n, turn) for key, n in conversation.dropped_turns.items()}
    return conversation.model_copy(
        update={"turns": conversation.turns[:turn], "dropped_turns": dropped}
    )


def with_dropped_turn(conversation: Conversation, column_key: str, turns: int) -> Conversation:
    """Stop sending the oldest turns in one column: `turns` of them from the start."""
    dropped = {**conversation.dropped_turns, column_key: turns}
    return conversation.model_copy(update={"dropped_turns": dropped})
