"""How many runs there are of each kind, kept up to date with every write: counting and listing what
there is never reads the runs themselves."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import case, exists, func, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.orm import Session

from app.bench.experiments.order import WARM_UP_ROUND
from app.bench.store.tables import RunGroupRow, RunRow
from app.bench.store.upserts import insert_into

_SAME = ("visitor", "model", "setup_id", "label", "purpose", "status", "comparable")
_KEYS_AT_ONCE = 500


def kind_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the group that a run's row belongs to."""
    return {
        **{name: row[name] for name in _SAME},
        "is_disturbed": bool(row["disturbed"]),
        "experiment_id": row["experiment_id"],
        "place_setup": row["place_setup"],
        "is_compared": (row["place_round"] or 0) > WARM_UP_ROUND,
    }


def key_of(row: Mapping[str, Any]) -> str:
    """First 32 hex digits of the SHA-256 of what makes the group."""
    return hashlib.sha256(json.dumps(list(kind_of(row).values())).encode()).hexdigest()[:32]


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Count runs that are new and shown; for others, `recount` puts it right."""
    counts = Counter(row["group_key"] for row in rows)
    latest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        before = latest.get(row["group_key"])
        if before is None or before["created_at"] < row["created_at"]:
            latest[row["group_key"]] = row
    statement = insert_into(session, RunGroupRow)
    new, old = statement.excluded, RunGroupRow
    is_later = old.last_run_at.is_(None) | (old.last_run_at < new.last_run_at)
    counted = statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "runs": old.runs + new.runs,
            "last_run_at": case((is_later, new.last_run_at), else_=old.last_run_at),
        },
    )
    for key in sorted(counts):
        row = latest[key]
        values = {"key": key, "runs": counts[key], "last_run_at": row["created_at"]}
        session.execute(counted, {**kind_of(row), **values})


def recount(session: Session, keys: Collection[str]) -> None:
    """Count the runs of these groups again, after some were hidden, shown or replaced."""
    ordered = sorted(keys)
    shown = (RunRow.group_key == RunGroupRow.key, RunRow.deleted_at.is_(None))
    counted = select(func.count()).select_from(RunRow).where(*shown)
    latest = select(func.max(RunRow.created_at)).where(*shown)
    for start in range(0, len(ordered), _KEYS_AT_ONCE):
        session.execute(
            update(RunGroupRow)
            .where(RunGroupRow.key.in_(ordered[start : start + _KEYS_AT_ONCE]))
            .values(
                runs=counted.scalar_subquery(),
                last_run_at=latest.scalar_subquery(),
            )
            .execution_options(synchronize_session=False)
        )


def purge(session: Session) -> None:
    """Forget groups that have neither shown nor hidden runs."""
    has_runs = exists().where(RunRow.group_key == RunGroupRow.key)
    session.execute(
        delete_from(RunGroupRow)
        .where(RunGroupRow.runs == 0, ~has_runs)
        .execution_options(synchronize_session=False)
    )
