"""Runs with their bodies apart, conversations and their turns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("visitor", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.Text),
        sa.Column("turn", sa.BigInteger),
        sa.Column("column_key", sa.Text),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("backend", sa.Text, nullable=False),
        sa.Column("setup_id", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("prompt_start", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("contended", sa.Boolean, nullable=False),
        sa.Column("warm", sa.Boolean, nullable=False),
        sa.Column("comparable", sa.Boolean, nullable=False),
        sa.Column("superseded", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("ttft_ns", sa.BigInteger),
        sa.Column("tpot_ns", sa.Double),
        sa.Column("e2e_ns", sa.BigInteger),
        sa.Column("prompt_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("peak_memory_bytes", sa.BigInteger),
        sa.Column("cost", sa.Text),
        sa.Column("deleted_at", _MOMENT),
    )
    op.create_index("ix_runs_created_at", "runs", ["created_at"])
    op.create_index("ix_runs_visitor_created_at", "runs", ["visitor", "created_at"])
    op.create_index("ix_runs_model", "runs", ["model"])
    op.create_index("ix_runs_setup_id", "runs", ["setup_id"])
    op.create_index("ix_runs_conversation", "runs", ["conversation_id", "turn"])
    op.create_table(
        "run_bodies",
        sa.Column(
            "run_id",
            sa.String(64),
            sa.ForeignKey("runs.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("record_version", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("visitor", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("comparison", sa.Text, nullable=False),
        sa.Column("dropped_turns", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("deleted_at", _MOMENT),
    )
    op.create_index(
        "ix_conversations_visitor_updated_at", "conversations", ["visitor", "updated_at"]
    )
    op.create_table(
        "turns",
        sa.Column(
            "conversation_id",
            sa.String(64),
            sa.ForeignKey("conversations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "turn"),
    )
