"""Samples read from rows say what the records say, without reading a record."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import MetaData, text

from app.bench.experiments.samples import sample_of
from app.bench.record import ErrorNote, ExperimentPlace, Price, RunRecord, TokenPrice
from app.bench.store import Store
from backends.settings import Settings
from tests.bench.samples import make_run, stamps
from tests.bench.test_store_migrations import engine_for, upgrade_to

HOURLY = Price(dollars_per_hour=Decimal("0.37"), source="test", date=dt.date(2026, 11, 1))
BY_TOKEN = TokenPrice(
    input_per_million=Decimal("0.1"),
    output_per_million=Decimal("0.3"),
    source="test",
    date=dt.date(2026, 11, 1),
)


def placed(id_: str, **changes: Any) -> RunRecord:
    place = {"round": 3, "conversation": 1, "turn": 2, "setup": 4, "attempt": 2}
    return make_run(id=id_, experiment=ExperimentPlace(id="e", **place), **changes)


RECORDS = (
    placed("plain"),
    placed("priced", price=HOURLY),
    placed("by token", price=BY_TOKEN, disturbed="other work kept 1.0 of 2 cores busy"),
    placed("one token", chunks=stamps((30, 1)), warm=False, contended=True),
    placed(
        "failed",
        status="failed",
        error=ErrorNote(type="X", message="It broke."),
        chunks=(),
        usage=None,
    ),
)


def test_they_are_those_of_the_records(store: Store) -> None:
    store.save_runs(RECORDS)
    store.save_run(make_run(id="of no experiment"))
    found = {sample.run_id: sample for sample in store.samples("e")}
    assert found == {record.id: sample_of(record) for record in RECORDS}


def test_no_record_is_read(store: Store) -> None:
    store.save_runs(RECORDS)
    with store._database.writing() as session:
        session.execute(text("UPDATE run_bodies SET body = 'garbage'"))
    assert len(store.samples("e")) == len(RECORDS)


def test_deleted_runs_and_other_experiments_are_not_among_them(store: Store) -> None:
    store.save_runs(RECORDS)
    store.delete_runs(["plain"], None)
    assert {sample.run_id for sample in store.samples("e")} == {
        *("priced", "by token", "one token", "failed")
    }
    assert list(store.samples("another")) == []


def test_runs_from_before_there_were_such_columns_have_them_too(empty: Settings) -> None:
    upgrade_to(empty, "0002")
    engine = engine_for(empty)
    old = {"visitor": "local", "model": "m", "backend": "local", "setup_id": "s", "label": "l"}
    old |= {"prompt_start": "", "purpose": "benchmark"}
    flags = {"contended": False, "warm": True, "comparable": True, "superseded": False}
    with engine.begin() as connection:
        known = MetaData()
        known.reflect(connection)
        tables = known.tables
        for record in RECORDS:
            figures = sample_of(record)
            row = {
                **(old | flags),
                "id": record.id,
                "created_at": record.created_at,
                "status": record.status,
                "error": figures.error or None,
                "contended": record.contended,
                "warm": record.warm,
                "experiment_id": "e",
                "prompt_tokens": figures.prompt_tokens,
                "output_tokens": figures.output_tokens,
            }
            row |= {name: figures.values.get(name) for name in ("ttft_ns", "tpot_ns", "e2e_ns")}
            row["peak_memory_bytes"] = figures.values.get("peak_memory_bytes")
            connection.execute(tables["runs"].insert().values(row))
            body = {"run_id": record.id, "record_version": 1, "body": record.model_dump_json()}
            connection.execute(tables["run_bodies"].insert().values(body))
    engine.dispose()
    store = Store.open(empty)
    found = {sample.run_id: sample for sample in store.samples("e")}
    for record in RECORDS:
        expected = sample_of(record)
        assert (found[record.id].place, found[record.id].reasons) == (
            expected.place,
            expected.reasons,
        )
        assert found[record.id].disturbed == record.disturbed
    store.close()
