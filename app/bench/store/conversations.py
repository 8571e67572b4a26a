"""Rows of conversations and turns, inside a session that is given. Answers come from the runs."""

from __future__ import annotations

import datetime as dt
import json

from pydantic import ValidationError
from sqlalchemy import delete as delete_from
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.bench.conversation import Comparison, Conversation, Turn
from app.bench.store import owned, runs
from app.bench.store.tables import ConversationRow, RunRow, TurnRow, in_utc
from app.bench.store.values import ConversationSummary
from backends.errors import DynoError, NotRecorded

_PROMPT_AS_TITLE_CHARS = 60
_UNTITLED = "New conversation"


def save(session: Session, conversation: Conversation) -> None:
    found = session.get(ConversationRow, conversation.id)
    if found is not None and found.visitor != conversation.visitor:
        raise NotRecorded(
            "Not recorded: this conversation belongs to someone else.", "Start a new one."
        )
    session.merge(
        ConversationRow(
            id=conversation.id,
            visitor=conversation.visitor,
            title=conversation.title,
            comparison=conversation.comparison.model_dump_json(),
            dropped_turns=json.dumps(conversation.dropped_turns),
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
        )
    )
    session.flush()
    _save_turns(session, conversation)


def _save_turns(session: Session, conversation: Conversation) -> None:
    of_this = TurnRow.conversation_id == conversation.id
    kept = {row.turn: row for row in session.scalars(select(TurnRow).where(of_this))}
    for turn in conversation.turns:
        before = kept.pop(turn.index, None)
        if before is not None and (before.prompt, before.created_at) != (
            turn.prompt,
            in_utc(turn.created_at),
        ):
            answers = [run.id for run in turn.runs.values()]
            runs.supersede(session, conversation.id, conversation.visitor, turn.index, keep=answers)
        session.merge(
            TurnRow(
                conversation_id=conversation.id,
                turn=turn.index,
                prompt=turn.prompt,
                created_at=turn.created_at,
            )
        )
    for index, row in kept.items():
        runs.supersede(session, conversation.id, conversation.visitor, index, keep=[])
        session.delete(row)


def load(session: Session, id_: str, visitor: str | None) -> Conversation | None:
    """Raises `DynoError` for a conversation that this version cannot read."""
    row = _owned(session, id_, visitor)
    if row is None:
        return None
    answers = runs.latest_answers(session, id_, row.visitor)
    of_this = TurnRow.conversation_id == id_
    turn_rows = session.scalars(select(TurnRow).where(of_this).order_by(TurnRow.turn))
    turns = tuple(
        Turn(
            index=turn.turn,
            prompt=turn.prompt,
            created_at=turn.created_at,
            runs={key: run for (index, key), run in answers.items() if index == turn.turn},
        )
        for turn in turn_rows
    )
    try:
        comparison = Comparison.model_validate_json(row.comparison)
    except ValidationError as error:
        raise DynoError(
            "This conversation was kept by another version and cannot be read by this one.",
            "Update the app.",
        ) from error
    return Conversation(
        id=row.id,
        visitor=row.visitor,
        title=row.title,
        comparison=comparison,
        turns=turns,
        created_at=row.created_at,
        updated_at=row.updated_at,
        dropped_turns=json.loads(row.dropped_turns),
    )


def summaries(session: Session, visitor: str | None, limit: int) -> list[ConversationSummary]:
    turns = (
        select(func.count())
        .where(TurnRow.conversation_id == ConversationRow.id)
        .correlate(ConversationRow)
        .scalar_subquery()
    )
    first_prompt = (
        select(TurnRow.prompt)
        .where(TurnRow.conversation_id == ConversationRow.id)
        .order_by(TurnRow.turn)
        .limit(1)
        .correlate(ConversationRow)
        .scalar_subquery()
    )
    chosen = select(ConversationRow, turns, first_prompt).where(
        ConversationRow.deleted_at.is_(None)
    )
    if visitor is not None:
        chosen = chosen.where(ConversationRow.visitor == visitor)
    newest_first = chosen.order_by(ConversationRow.updated_at.desc(), ConversationRow.id)
    return [
        ConversationSummary(
            id=row.id,
            visitor=row.visitor,
            title=row.title or _start_of(prompt) or _UNTITLED,
            turns=count,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row, count, prompt in session.execute(newest_first.limit(limit))
    ]


def delete(session: Session, id_: str, visitor: str | None, now: dt.datetime) -> bool:
    return owned.hide(session, _owned(session, id_, visitor), RunRow.conversation_id == id_, now)


def restore(session: Session, id_: str, visitor: str | None) -> bool:
    row = _owned(session, id_, visitor, deleted=True)
    return owned.show(session, row, RunRow.conversation_id == id_)


def purge(session: Session, before: dt.datetime) -> None:
    old = select(ConversationRow.id).where(ConversationRow.deleted_at < before)
    session.execute(delete_from(TurnRow).where(TurnRow.conversation_id.in_(old)))
    session.execute(delete_from(ConversationRow).where(ConversationRow.deleted_at < before))


def _owned(
    session: Session, id_: str, visitor: str | None, *, deleted: bool = False
) -> ConversationRow | None:
    return owned.owned(session, ConversationRow, id_, visitor, deleted=deleted)


def _start_of(prompt: str | None) -> str:
    words = " ".join((prompt or "").split())
    return (
        words
        if len(words) <= _PROMPT_AS_TITLE_CHARS
        else words[: _PROMPT_AS_TITLE_CHARS - 1].rstrip() + "…"
    )
