"""`run`: a plan is run to its conclusion, with progress; Ctrl-C keeps what is done."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.bench.experiments.commands.common import (
    EXIT_DONE,
    EXIT_INCOMPLETE,
    EXIT_NOTHING,
    EXIT_STOPPED,
    AsJson,
    as_told,
    console,
    echo_json,
    findings_in,
    opened_store,
    told,
)
from app.bench.experiments.commands.following import conducted, say_expected
from app.bench.experiments.expectation import earlier_runs, expected
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.lengths import workload_of
from app.bench.experiments.on_ray import PASSES_ARE_MADE_HERE, conduct_on_ray
from app.bench.experiments.plan import read_plan
from app.bench.experiments.ray_cluster import LOCAL
from app.bench.experiments.running import begin, resume
from app.bench.experiments.shelf import WorkloadShelf
from app.bench.experiments.tables import show_conclusion
from backends.engine import CancelToken
from backends.errors import Cancelled, DynoError, NotRecorded
from backends.settings import get_settings


def run(
    plan: Annotated[Path, typer.Argument(help="A TOML file, such as examples/experiment.toml.")],
    resume_id: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Make only what is missing of it.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", help="ray://HOST:PORT, a Ray cluster; or ray, on this machine."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="With --on: how many (default: one a GPU, else one a host)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the experiment that a file plans; Ctrl-C keeps what is done."""
    out = console()
    with told(out, as_json), opened_store(writes=True) as store:
        conduct_there = _where(on, workers)
        planned = read_plan(plan)
        workload = workload_of(planned, get_settings().max_prompt_chars)
        if on is None:  # other machines tell nothing of this one's runs, nor they of theirs
            say_expected(expected(planned, workload, earlier_runs(store, planned, None)), out)
        if resume_id is None:
            begun = experiment = begin(store, planned, workload)
        else:
            begun = experiment = resume(store, resume_id, planned, workload)
        with contextlib.suppress(NotRecorded):  # a page may go on with it, if its prompts are kept
            WorkloadShelf(get_settings()).keep(workload)
        out.print(f"Experiment {begun.id}", highlight=False)
        cancel = CancelToken()
        try:
            experiment = conducted(store, begun, workload, out, cancel, conduct_there)
        except Cancelled as error:
            out.print(error.message, markup=False)
            raise typer.Exit(EXIT_STOPPED) from error
        finally:
            if experiment.state != "finished":
                there = f" --on {on}" if on and experiment.reason != PASSES_ARE_MADE_HERE else ""
                again = f"To go on: python -m app.bench run {plan} --resume {begun.id}{there}"
                out.print(again, markup=False, highlight=False, soft_wrap=True)
        findings = findings_in(store, experiment)
        show_conclusion(findings, out)
        if as_json:
            echo_json(as_told(findings))
    raise typer.Exit(_exit_code(experiment, cancel))


def _where(on: str | None, workers: int | None) -> Callable[..., Experiment] | None:
    """What conducts an experiment: the workers of a Ray cluster; None for this process."""
    if on is None:
        if workers is not None:
            raise DynoError("--workers says how many of a cluster.", "Add --on ray, or leave it.")
        return None
    if on != LOCAL and not on.startswith("ray://"):
        raise DynoError(
            f"“{on}” is no place to run on.", "Say ray://HOST:PORT, or ray for this machine alone."
        )
    return partial(conduct_on_ray, address=on, workers=workers)


def _exit_code(experiment: Experiment, cancel: CancelToken) -> int:
    if cancel.is_cancelled:
        return EXIT_STOPPED
    if len(experiment.left_out) == len(experiment.plan.setups):
        return EXIT_NOTHING
    is_whole = experiment.state == "finished" and not experiment.left_out
    return EXIT_DONE if is_whole else EXIT_INCOMPLETE
