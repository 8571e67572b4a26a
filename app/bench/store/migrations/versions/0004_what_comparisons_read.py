"""What comparisons need of a run, in its row: place in the experiment, disturbance, reasons."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PLACE = ("round", "conversation", "turn", "setup", "attempt")
_ROWS_AT_ONCE = 500


def upgrade() -> None:
    for name in _PLACE:
        op.add_column("runs", sa.Column(f"place_{name}", sa.BigInteger))
    op.add_column("runs", sa.Column("disturbed", sa.Text, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("reasons", sa.Text))
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """From the bodies of those runs that belong to an experiment."""
    runs = sa.table(
        "runs",
        *(sa.column(name) for name in ("id", "experiment_id", "disturbed", "reasons")),
        *(sa.column(f"place_{name}") for name in _PLACE),
    )
    bodies = sa.table("run_bodies", sa.column("run_id"), sa.column("body"))
    mine = sa.select(runs.c.id).where(runs.c.experiment_id.is_not(None))
    ids = list(connection.scalars(mine))
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        some = bodies.c.run_id.in_(ids[start : start + _ROWS_AT_ONCE])
        for id_, body in connection.execute(sa.select(bodies).where(some)).all():
            values = _values(body)
            if values:
                connection.execute(runs.update().where(runs.c.id == id_).values(**values))


def _values(body: str) -> dict[str, Any]:
    """Nothing for a body that is none: it was unreadable before, too."""
    try:
        record = json.loads(body)
        place = {f"place_{name}": int(record["experiment"][name]) for name in _PLACE}
        disturbed = str(record.get("disturbed", ""))
    except (ValueError, KeyError, TypeError):
        return {}
    return {**place, "disturbed": disturbed, "reasons": _reasons(body)}


def _reasons(body: str) -> str | None:
    """Why metrics are missing is said by today's words, where today's code still reads it."""
    from app.bench.experiments.samples import sample_of
    from app.bench.record import RunRecord

    try:
        reasons = sample_of(RunRecord.model_validate_json(body)).reasons
    except ValueError:
        return None
    return json.dumps(dict(reasons), ensure_ascii=False) if reasons else None
