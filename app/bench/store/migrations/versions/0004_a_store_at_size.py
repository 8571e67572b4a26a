"""A store of a hundred thousand runs: what comparisons need of a run in its row, and groups of runs
that are counted already. Experiments get a name of the user's, and can be hidden and imported."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PLACE = ("round", "conversation", "turn", "setup", "attempt")
_KIND = ("visitor", "model", "setup_id", "label", "purpose", "status", "comparable")
_MOMENT = sa.DateTime(timezone=True)
_ROWS_AT_ONCE = 500


def upgrade() -> None:
    for name in _PLACE:
        op.add_column("runs", sa.Column(f"place_{name}", sa.BigInteger))
    op.add_column("runs", sa.Column("disturbed", sa.Text, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("reasons", sa.Text))
    op.add_column("runs", sa.Column("group_key", sa.String(32), nullable=False, server_default=""))
    op.create_index("ix_runs_group", "runs", ["group_key", "deleted_at", "created_at"])
    op.create_table(
        "run_groups",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("visitor", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("setup_id", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("comparable", sa.Boolean, nullable=False),
        sa.Column("is_disturbed", sa.Boolean, nullable=False),
        sa.Column("experiment_id", sa.Text),
        sa.Column("place_setup", sa.BigInteger),
        sa.Column("is_compared", sa.Boolean, nullable=False),
        sa.Column("runs", sa.BigInteger, nullable=False),
        sa.Column("last_run_at", _MOMENT),
    )
    op.create_index("ix_run_groups_visitor", "run_groups", ["visitor"])
    op.create_index("ix_run_groups_experiment", "run_groups", ["experiment_id"])
    for name in ("title", "imported_from"):
        op.add_column("experiments", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("experiments", sa.Column("deleted_at", _MOMENT))
    connection = op.get_bind()
    _fill(connection)
    _group(connection)


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


def _group(connection: sa.Connection) -> None:
    """Give every run the key of its group, and count the groups."""
    known = sa.MetaData()
    known.reflect(connection, only=["runs", "run_groups"])
    runs, groups = known.tables["runs"], known.tables["run_groups"]
    told = (*_KIND, "disturbed", "experiment_id", "place_setup", "place_round")
    wanted = [runs.c[name] for name in ("id", "created_at", "deleted_at", *told)]
    made: dict[str, dict[str, Any]] = {}
    keys = []
    for row in connection.execute(sa.select(*wanted)).mappings():
        kind = {
            **{name: row[name] for name in _KIND},
            "is_disturbed": bool(row["disturbed"]),
            "experiment_id": row["experiment_id"],
            "place_setup": row["place_setup"],
            "is_compared": (row["place_round"] or 0) > 0,
        }
        key = hashlib.sha256(json.dumps(list(kind.values())).encode()).hexdigest()[:32]
        keys.append({"run": row["id"], "key": key})
        group = made.setdefault(key, {**kind, "key": key, "runs": 0, "last_run_at": None})
        if row["deleted_at"] is None:
            group["runs"] += 1
            group["last_run_at"] = max(group["last_run_at"] or row["created_at"], row["created_at"])
    if keys:
        of_run = runs.update().where(runs.c.id == sa.bindparam("run"))
        connection.execute(of_run.values(group_key=sa.bindparam("key")), keys)
        connection.execute(groups.insert(), list(made.values()))


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
