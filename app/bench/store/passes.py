"""Rows of an experiment's passes, inside a session that is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bench.experiments.samples import PassResult, SetupFigure
from app.bench.store.tables import ExperimentPassRow
from app.bench.store.upserts import upsert

_FIGURES: TypeAdapter[dict[int, tuple[SetupFigure, ...]]] = TypeAdapter(
    dict[int, tuple[SetupFigure, ...]]
)


def save(
    session: Session, experiment_id: str, name: str, figures: Mapping[int, Sequence[SetupFigure]]
) -> None:
    """Insert or replace."""
    kept = {index: tuple(found) for index, found in figures.items()}
    row = {
        "experiment_id": experiment_id,
        "name": name,
        "figures": _FIGURES.dump_json(kept).decode(),
    }
    upsert(session, ExperimentPassRow, [row])


def load(session: Session, experiment_id: str) -> tuple[PassResult, ...]:
    """By name; those of another version, which this one cannot read, are left out."""
    chosen = select(ExperimentPassRow).where(ExperimentPassRow.experiment_id == experiment_id)
    rows = session.scalars(chosen.order_by(ExperimentPassRow.name))
    return tuple(found for row in rows if (found := _parse(row)) is not None)


def _parse(row: ExperimentPassRow) -> PassResult | None:
    try:
        return PassResult(row.name, _FIGURES.validate_json(row.figures))
    except ValidationError:
        return None
