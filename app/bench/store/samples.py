"""What comparisons need of runs, written into their rows and read from there alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bench.experiments.samples import RunSample, sample_of
from app.bench.formulae import NS_PER_SECOND
from app.bench.record import ExperimentPlace, RunRecord, RunStatus
from app.bench.store.tables import RunRow

_COLUMNS = (
    *(RunRow.id, RunRow.created_at, RunRow.status, RunRow.error, RunRow.disturbed),
    *(RunRow.contended, RunRow.warm, RunRow.prompt_tokens, RunRow.output_tokens),
    *(RunRow.place_round, RunRow.place_conversation, RunRow.place_turn),
    *(RunRow.place_setup, RunRow.place_attempt),
    *(RunRow.ttft_ns, RunRow.tpot_ns, RunRow.e2e_ns, RunRow.peak_memory_bytes, RunRow.cost),
    RunRow.reasons,
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
        "disturbed": record.disturbed,
        "reasons": json.dumps(reasons, ensure_ascii=False) if reasons else None,
    }


def samples(session: Session, experiment_id: str) -> list[RunSample]:
    """What `sample_of` says of each run, in no order."""
    chosen = select(*_COLUMNS).where(
        RunRow.experiment_id == experiment_id,
        RunRow.place_setup.is_not(None),
        RunRow.deleted_at.is_(None),
    )
    return [_sample(experiment_id, row) for row in session.execute(chosen)]


def _sample(experiment_id: str, row: Any) -> RunSample:
    run_id, created_at, status, error, disturbed, contended, warm, prompt, output, *rest = row
    round_, conversation, turn, setup, attempt, ttft, tpot, e2e, peak, cost, reasons = rest
    values = {}
    if ttft is not None:
        values["ttft_ns"] = float(ttft)
    if tpot is not None:
        values["tpot_ns"] = tpot
        if tpot:
            values["decode_tokens_per_second"] = NS_PER_SECOND / tpot
    if e2e is not None:
        values["e2e_ns"] = float(e2e)
    if peak is not None:
        values["peak_memory_bytes"] = float(peak)
    if cost is not None:
        dollars = Decimal(cost)
        values["cost_dollars"] = float(dollars)
        if output:
            values["cost_per_million_tokens"] = float(dollars * 1_000_000 / output)
    return RunSample(
        run_id,
        created_at,
        ExperimentPlace(
            id=experiment_id,
            round=round_,
            conversation=conversation,
            turn=turn,
            setup=setup,
            attempt=attempt,
        ),
        cast(RunStatus, status),
        error or "",
        disturbed,
        contended,
        warm,
        prompt,
        output,
        values,
        {} if reasons is None else _parsed(reasons),
    )


@lru_cache(maxsize=256)
def _parsed(reasons: str) -> Mapping[str, str]:
    """The runs of an experiment lack the same for the same reason: it is parsed once."""
    parsed: dict[str, str] = json.loads(reasons)
    return parsed
