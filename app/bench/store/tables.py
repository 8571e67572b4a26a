"""The tables as they are at the newest migration. Changing one here needs a new migration."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    String,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


def in_utc(moment: dt.datetime) -> dt.datetime:
    """The same moment in UTC; naive means UTC."""
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment with a time zone, kept in UTC. SQLite has no zones; naive means UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        moment = in_utc(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        return None if value is None else in_utc(value)


class AnyText(TypeDecorator[str]):
    """Text of any characters. PostgreSQL refuses U+0000, which answers may hold: there it is kept
    as U+FFFE and a digit, and U+FFFE, which is no character and in no text, in the same way."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or dialect.name == "sqlite" or not ("\x00" in value or _ESCAPE in value):
            return value
        return value.replace(_ESCAPE, f"{_ESCAPE}1").replace("\x00", f"{_ESCAPE}0")

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or dialect.name == "sqlite" or _ESCAPE not in value:
            return value
        return value.replace(f"{_ESCAPE}0", "\x00").replace(f"{_ESCAPE}1", _ESCAPE)


_ESCAPE = "\ufffe"


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it so)
        dt.datetime: UtcDateTime(),
        int: BigInteger(),
        str: AnyText(),
    }


class RunRow(Base):
    """What lists, filters, sums and comparisons need of a run; the rest is in `RunBodyRow`.

    `comparable`: finished, warm, alone on its device and not disturbed. `superseded`: its turn was
    edited or cleared since, so that it is no answer of the conversation any more. `cost` is a
    Decimal as text. `group_key` names its row of `run_groups`.

    In an experiment `place_…` say where it stands, and `reasons` is JSON: why a metric that setups
    are compared by was not measured; None where all were.
    """

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[dt.datetime]
    visitor: Mapped[str]
    conversation_id: Mapped[str | None]
    turn: Mapped[int | None]
    column_key: Mapped[str | None]
    model: Mapped[str]
    backend: Mapped[str]
    setup_id: Mapped[str]
    label: Mapped[str]
    prompt_start: Mapped[str]
    purpose: Mapped[str]
    status: Mapped[str]
    error: Mapped[str | None]
    contended: Mapped[bool]
    warm: Mapped[bool]
    comparable: Mapped[bool]
    superseded: Mapped[bool] = mapped_column(default=False)
    ttft_ns: Mapped[int | None]
    tpot_ns: Mapped[float | None]
    e2e_ns: Mapped[int | None]
    prompt_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    peak_memory_bytes: Mapped[int | None]
    cost: Mapped[str | None]
    deleted_at: Mapped[dt.datetime | None]
    experiment_id: Mapped[str | None]
    place_round: Mapped[int | None]
    place_conversation: Mapped[int | None]
    place_turn: Mapped[int | None]
    place_setup: Mapped[int | None]
    place_attempt: Mapped[int | None]
    place_worker: Mapped[str | None]
    disturbed: Mapped[str] = mapped_column(default="")
    reasons: Mapped[str | None]
    group_key: Mapped[str] = mapped_column(String(32))

    __table_args__ = (
        Index("ix_runs_created_at", "created_at"),
        Index("ix_runs_visitor_created_at", "visitor", "created_at"),
        Index("ix_runs_model", "model"),
        Index("ix_runs_setup_id", "setup_id"),
        Index("ix_runs_conversation", "conversation_id", "turn"),
        Index("ix_runs_experiment", "experiment_id"),
        Index("ix_runs_group", "group_key", "deleted_at", "created_at"),
    )


class RunGroupRow(Base):
    """How many runs there are of one kind, hidden ones not among them: all of a group are the same
    in everything that lists are filtered by, but for time and conversation. `key` is its digest."""

    __tablename__ = "run_groups"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    visitor: Mapped[str]
    model: Mapped[str]
    setup_id: Mapped[str]
    label: Mapped[str]
    purpose: Mapped[str]
    status: Mapped[str]
    comparable: Mapped[bool]
    is_disturbed: Mapped[bool]
    experiment_id: Mapped[str | None]
    place_setup: Mapped[int | None]
    is_compared: Mapped[bool]
    runs: Mapped[int]
    last_run_at: Mapped[dt.datetime | None]

    __table_args__ = (
        Index("ix_run_groups_visitor", "visitor"),
        Index("ix_run_groups_experiment", "experiment_id"),
    )


class RunBodyRow(Base):
    """The whole `RunRecord` as JSON, apart, so that lists never read raw samples."""

    __tablename__ = "run_bodies"

    run_id: Mapped[str] = mapped_column(
        String(64), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    record_version: Mapped[int]
    body: Mapped[str]


class ConversationRow(Base):
    """A conversation without its turns; `comparison` and `dropped_turns` are JSON."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    visitor: Mapped[str]
    title: Mapped[str]
    comparison: Mapped[str]
    dropped_turns: Mapped[str]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    deleted_at: Mapped[dt.datetime | None]

    __table_args__ = (Index("ix_conversations_visitor_updated_at", "visitor", "updated_at"),)


class TurnRow(Base):
    """A prompt. Its answers are rows of `runs`."""

    __tablename__ = "turns"

    conversation_id: Mapped[str] = mapped_column(String(64))
    turn: Mapped[int]
    prompt: Mapped[str]
    created_at: Mapped[dt.datetime]

    __table_args__ = (
        PrimaryKeyConstraint("conversation_id", "turn"),
        ForeignKeyConstraint(["conversation_id"], ["conversations.id"], ondelete="CASCADE"),
    )


class ExperimentRow(Base):
    """An experiment without its runs; `plan` and `left_out` are JSON, `seconds` those spent.

    `title` is the name that a user gave it since, empty for the plan's own.
    """

    __tablename__ = "experiments"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    visitor: Mapped[str]
    name: Mapped[str]
    plan: Mapped[str]
    workload_digest: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str]
    left_out: Mapped[str]
    seconds: Mapped[float]
    title: Mapped[str] = mapped_column(default="")
    imported_from: Mapped[str] = mapped_column(default="")
    deleted_at: Mapped[dt.datetime | None]

    __table_args__ = (Index("ix_experiments_visitor_created_at", "visitor", "created_at"),)


class ExperimentPassRow(Base):
    """What a pass of an experiment found; `figures` is JSON."""

    __tablename__ = "experiment_passes"

    experiment_id: Mapped[str] = mapped_column(
        String(64), ForeignKey("experiments.id", ondelete="CASCADE")
    )
    name: Mapped[str] = mapped_column(String(32))
    figures: Mapped[str]

    __table_args__ = (PrimaryKeyConstraint("experiment_id", "name"),)
