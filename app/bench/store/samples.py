"""What comparisons need of runs, written into their rows and read from there alone."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, overload

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bench.experiments.sample_table import SampleTable, floats, integers
from app.bench.experiments.samples import sample_of
from app.bench.formulae import NS_PER_SECOND
from app.bench.record import RunRecord
from app.bench.store.tables import RunRow, in_utc

_COLUMNS = (
    RunRow.id,
    RunRow.created_at,
    *(RunRow.status, RunRow.error, RunRow.disturbed),
    *(RunRow.contended, RunRow.warm, RunRow.prompt_tokens, RunRow.output_tokens),
    *(RunRow.place_round, RunRow.place_conversation, RunRow.place_turn),
    *(RunRow.place_setup, RunRow.place_attempt),
    *(RunRow.ttft_ns, RunRow.tpot_ns, RunRow.e2e_ns, RunRow.peak_memory_bytes, RunRow.cost),
    *(RunRow.reasons, RunRow.place_worker),
)


def columns_of(record: RunRecord) -> dict[str, Any]:
    """The columns of a run's row that only an experiment needs; empty ones elsewhere."""
    place = record.experiment
    reasons = dict(sample_of(record).reasons) if place else {}
    return {
        "experiment_id": place.id if place else None,
        "place_round": place.round if place else None,
        "place_conversation": place.conversation if place else None,
        "place_turn": place.turn if place else None,
        "place_setup": place.setup if place else None,
        "place_attempt": place.attempt if place else None,
        "place_worker": place.worker if place else None,
        "disturbed": record.disturbed,
        "reasons": json.dumps(reasons, ensure_ascii=False) if reasons else None,
    }


def samples(session: Session, experiment_id: str) -> SampleTable:
    """What `sample_of` says of each run, in no order."""
    chosen = select(*_COLUMNS).where(
        RunRow.experiment_id == experiment_id,
        RunRow.place_setup.is_not(None),
        RunRow.deleted_at.is_(None),
    )
    with session.connection().execute(chosen) as result:
        # As the driver gives them: what SQLAlchemy makes of them takes longer than the database.
        rows = result.cursor.fetchall() if result.cursor is not None else []
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_COLUMNS)
    run_ids, moments, statuses, errors, disturbances, contended, warm, *numbers = columns
    prompt_tokens, output_tokens, *places = numbers[:7]
    ttft, tpot, e2e, peak = (floats(column) for column in numbers[7:11])
    costs, reasons, workers = numbers[11:]
    rounds, conversations, turns, setups, attempts = (integers(column) for column in places)
    dollars = [None if cost is None else Decimal(cost) for cost in costs]
    per_million = map(_per_million, dollars, output_tokens)
    return SampleTable(
        run_ids=run_ids,
        created_at=_Moments(moments),
        experiment_ids=[experiment_id] * len(rows),
        statuses=statuses,
        errors=[error or "" for error in errors],
        disturbances=disturbances,
        contended=np.array(contended, dtype=bool),
        warm=np.array(warm, dtype=bool),
        rounds=rounds,
        conversations=conversations,
        turns=turns,
        setups=setups,
        attempts=attempts,
        workers=[worker or "" for worker in workers],
        prompt_tokens=floats(prompt_tokens),
        output_tokens=floats(output_tokens),
        values={
            "ttft_ns": ttft,
            "tpot_ns": tpot,
            "e2e_ns": e2e,
            "decode_tokens_per_second": NS_PER_SECOND / np.where(tpot == 0, np.nan, tpot),
            "peak_memory_bytes": peak,
            "cost_dollars": floats([None if one is None else float(one) for one in dollars]),
            "cost_per_million_tokens": floats(list(per_million)),
        },
        reasons=[_parsed(one) for one in reasons],
    )


def _per_million(dollars: Decimal | None, tokens: int | None) -> float | None:
    return float(dollars * 1_000_000 / tokens) if dollars is not None and tokens else None


@lru_cache(maxsize=256)
def _parsed(reasons: str | None) -> Mapping[str, str]:
    """The runs of an experiment lack the same for the same reason: it is parsed once."""
    parsed: dict[str, str] = json.loads(reasons) if reasons else {}
    return parsed


class _Moments(Sequence[dt.datetime]):
    """Moments as the driver gave them (SQLite's as text), put into UTC when one is asked for."""

    def __init__(self, kept: Sequence[dt.datetime | str]) -> None:
        self._kept = kept

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, index: int) -> dt.datetime: ...
    @overload
    def __getitem__(self, index: slice) -> list[dt.datetime]: ...
    def __getitem__(self, index: int | slice) -> dt.datetime | list[dt.datetime]:
        if isinstance(index, slice):
            return [_moment(one) for one in self._kept[index]]
        return _moment(self._kept[index])


def _moment(kept: dt.datetime | str) -> dt.datetime:
    return in_utc(dt.datetime.fromisoformat(kept) if isinstance(kept, str) else kept)
