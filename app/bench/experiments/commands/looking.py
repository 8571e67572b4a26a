"""`runs`, `experiments` and `compare`: what is in the store, in tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from app.bench.experiments.across import why_not_across
from app.bench.experiments.commands.common import (
    AsJson,
    ExperimentId,
    as_told,
    bare,
    console,
    echo_json,
    findings_in,
    found,
    opened_store,
    told,
)
from app.bench.experiments.environments import changes
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.running import records_of
from app.bench.experiments.statistics import moves
from app.bench.experiments.tables import show_conclusion, show_experiments, show_moves, show_runs
from app.bench.record import RunStatus
from app.bench.store import RunFilter
from backends.errors import DynoError


def runs(
    model: Annotated[str | None, typer.Option(help="Only runs of this model.")] = None,
    setup: Annotated[str | None, typer.Option(help="A setup's id, or a part of its name.")] = None,
    status: Annotated[RunStatus | None, typer.Option(help="How they ended.")] = None,
    since: Annotated[
        dt.datetime | None, typer.Option(help="UTC: 2026-11-21, or with a time.")
    ] = None,
    experiment: Annotated[str | None, typer.Option(metavar="ID", help="Of this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the runs that were made here, newest first."""
    out = console()
    chosen = RunFilter(
        visitor=None,
        model=model,
        setup=setup,
        status=status,
        since=since.replace(tzinfo=dt.UTC) if since else None,
        experiment_id=experiment,
        limit=limit,
    )
    with told(out, as_json), opened_store() as store:
        if experiment is not None:
            found(store, experiment)
        listed, all_of_them = store.runs(chosen), store.count(replace(chosen, limit=None))
        show_runs(listed, all_of_them, out)
        if as_json:
            echo_json([_without_visitor(asdict(one)) for one in listed])


def experiments(as_json: AsJson = False) -> None:
    """List the experiments that were begun here, newest first."""
    out = console()
    with told(out, as_json), opened_store() as store:
        listed = store.experiments(None)
        show_experiments(listed, out)
        if as_json:
            echo_json([bare(one) for one in listed])


def compare(
    id_: ExperimentId,
    second: Annotated[
        str | None, typer.Argument(metavar="[ID2]", help="Another one: what moved since?")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Setups of an experiment against the first; or two experiments against each other."""
    out = console()
    with told(out, as_json), opened_store() as store:
        one = found(store, id_)
        findings = findings_in(store, one)
        show_conclusion(findings, out)
        said: dict[str, Any] = as_told(findings)
        if second is not None:
            other = found(store, second)
            _refuse_other_work(one, other)
            later = findings_in(store, other)
            show_conclusion(later, out)
            changed = changes(records_of(store, one), records_of(store, other))
            moved = moves(findings.conclusion, later.conclusion)
            show_moves(changed, moved, out)
            said = {
                "first": said,
                "second": as_told(later),
                "changes": [asdict(change) for change in changed],
                "moves": [asdict(move) for move in moved],
            }
        if as_json:
            echo_json(said)


def _refuse_other_work(one: Experiment, other: Experiment) -> None:
    why = why_not_across(one, other)
    if why:
        raise DynoError(
            f"{other.id} cannot be held against {one.id}: {why}.", "Compare two that ask the same."
        )


def _without_visitor(run: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in run.items() if name != "visitor"}
