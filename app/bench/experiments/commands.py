"""`run`, `experiments` and `compare` on the command line.

Exit codes: 0 all that was planned is done, 1 it ended early or a setup was left out, 2 nothing
could be done, 130 stopped by Ctrl-C (what is done is kept).
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.bench.benchmarks.engines import opened_bench
from app.bench.benchmarks.quiet import MachineBusy, refuse_if_busy
from app.bench.experiments.clock_drops import why_not_watched
from app.bench.experiments.environments import changes
from app.bench.experiments.environments import workers as workers_of
from app.bench.experiments.expectation import Expectation, earlier_runs, expected
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.lengths import workload_of
from app.bench.experiments.on_ray import conduct_on_ray
from app.bench.experiments.plan import read_plan
from app.bench.experiments.progress import Status
from app.bench.experiments.ray_cluster import LOCAL
from app.bench.experiments.running import Laboratory, begin, conduct, records_of, resume
from app.bench.experiments.shelf import WorkloadShelf
from app.bench.experiments.statistics import Conclusion, conclude, moves
from app.bench.experiments.tables import show_conclusion, show_experiments, show_moves
from app.bench.store import Store
from backends.engine import CancelToken
from backends.errors import Cancelled, DynoError, NotRecorded
from backends.settings import get_settings

EXIT_DONE, EXIT_INCOMPLETE, EXIT_NOTHING, EXIT_STOPPED = 0, 1, 2, 130
_LOOK_SECONDS = 0.1

AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON on the last line.")]


def add_to(app: typer.Typer) -> None:
    """Make the commands known."""
    for command in (run, experiments, compare):
        app.command()(command)


def run(
    plan: Annotated[Path, typer.Argument(help="A TOML file, such as examples/experiment.toml.")],
    resume_id: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Make only what is missing of it.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--on", help="ray://HOST:PORT, a Ray cluster; or ray, one of this machine alone."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="With --on: how many (default: one a GPU, else one a host)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the experiment that a file plans; Ctrl-C keeps what is done."""
    console = _console()
    with _told(console), _store(writes=True) as store:
        planned = read_plan(plan)
        workload = workload_of(planned, get_settings().max_prompt_chars)
        _say_expected(console, expected(planned, workload, earlier_runs(store, planned, None)))
        if resume_id is None:
            begun = experiment = begin(store, planned, workload)
        else:
            begun = experiment = resume(store, resume_id, planned, workload)
        with contextlib.suppress(NotRecorded):  # a page may go on with it, if its prompts are kept
            WorkloadShelf(get_settings()).keep(workload)
        console.print(f"Experiment {begun.id}", highlight=False)
        _warn_if_busy(console)
        if unseen := why_not_watched():
            console.print(f"Not watched: {unseen}.", style="dim", markup=False, highlight=False)
        cancel = CancelToken()
        try:
            with opened_bench() as bench:
                conduct_there = _where(on, workers)
                laboratory = Laboratory(bench, store)
                experiment = _followed(
                    console,
                    lambda tell: conduct_there(laboratory, begun, workload, cancel, tell),
                    cancel,
                )
        except Cancelled as error:
            console.print(error.message, markup=False)
            raise typer.Exit(EXIT_STOPPED) from error
        finally:
            if experiment.state != "finished":
                again = f"To go on: python -m app.bench run {plan} --resume {begun.id}"
                console.print(again, markup=False, highlight=False, soft_wrap=True)
        conclusion = _concluded(store, experiment)
        show_conclusion(experiment, conclusion, console)
        for worker, runs in workers_of(store.samples(experiment.id)).items():
            console.print(f"{worker} made {runs} runs.", markup=False, highlight=False)
        if as_json:
            typer.echo(json.dumps(_as_json(experiment, conclusion), ensure_ascii=False))
    raise typer.Exit(_exit_code(experiment, cancel))


def experiments(as_json: AsJson = False) -> None:
    """List the experiments that were begun here, newest first."""
    console = _console()
    with _told(console), _store() as store:
        found = store.experiments(None)
        show_experiments(found, console)
        if as_json:
            typer.echo(json.dumps([_bare(one) for one in found], ensure_ascii=False))


def compare(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `experiments` lists it.")],
    second: Annotated[
        str | None, typer.Argument(metavar="[ID2]", help="Another one: what moved since?")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Setups of an experiment against the first; or two experiments against each other."""
    console = _console()
    with _told(console), _store() as store:
        one = _found(store, id_)
        conclusion = _concluded(store, one)
        show_conclusion(one, conclusion, console)
        told: dict[str, Any] = _as_json(one, conclusion)
        if second is not None:
            other = _found(store, second)
            _refuse_other_work(one, other)
            later = _concluded(store, other)
            show_conclusion(other, later, console)
            changed = changes(records_of(store, one), records_of(store, other))
            moved = moves(conclusion, later)
            show_moves(changed, moved, console)
            told = {
                "first": told,
                "second": _as_json(other, later),
                "changes": [asdict(change) for change in changed],
                "moves": [asdict(move) for move in moved],
            }
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False))


def _where(on: str | None, workers: int | None) -> Callable[..., Experiment]:
    """What conducts an experiment: this process, or the workers of a Ray cluster."""
    if on is None:
        if workers is not None:
            raise DynoError("--workers says how many of a cluster.", "Add --on ray, or leave it.")
        return conduct
    if on != LOCAL and not on.startswith("ray://"):
        raise DynoError(
            f"“{on}” is no place to run on.", "Say ray://HOST:PORT, or ray for this machine alone."
        )
    return partial(conduct_on_ray, address=on, workers=workers)


def _followed(
    console: Console,
    work: Callable[[Callable[[Status], None]], Experiment],
    cancel: CancelToken,
) -> Experiment:
    """Do the work in a thread while this one shows progress and waits for Ctrl-C."""
    ended: list[Experiment] = []
    failed: list[BaseException] = []
    # A thread whose `join` is interrupted counts as ended in Python 3.11; an event does not.
    is_over = threading.Event()
    with _bar(console) as bar:
        task = bar.add_task("begins", total=None)

        def tell(status: Status) -> None:
            words = _words(status)
            bar.update(task, total=status.planned, completed=status.made, description=words)

        def do() -> None:
            try:
                ended.append(work(tell))
            except BaseException as error:
                failed.append(error)
            finally:
                is_over.set()

        threading.Thread(target=do, daemon=True).start()
        while not is_over.is_set():
            try:
                is_over.wait(_LOOK_SECONDS)
            except KeyboardInterrupt:
                if cancel.is_cancelled:
                    raise  # the second time at once
                cancel.cancel()
    if failed:
        raise failed[0]
    return ended[0]


def _bar(console: Console) -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    return Progress(*columns, console=console, transient=True)


def _words(status: Status) -> str:
    parts = [status.doing]
    if status.seconds_left is not None:
        parts.append(f"about {_duration(status.seconds_left)} left")
    if status.dollars is not None:
        more = "" if status.dollars_left is None else f", about ${status.dollars_left:.4f} to come"
        parts.append(f"${status.dollars:.4f} spent{more}")
    if status.disturbed:
        parts.append(f"{status.disturbed} disturbed")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _say_expected(console: Console, found: Expectation) -> None:
    """Of all runs, also where some are made already."""
    if found.seconds is None:
        told = f"Duration {found.reason}."
    else:
        cost = f", ${found.dollars:.4f}" if found.dollars is not None else f"; {found.reason}"
        told = f"Expected of all runs: about {_duration(found.seconds)}{cost}."
    console.print(told, style="dim", markup=False, highlight=False)


def _warn_if_busy(console: Console) -> None:
    try:
        refuse_if_busy()
    except MachineBusy as error:
        console.print(
            f"{error.message} Runs that it disturbs are made again, once.",
            markup=False,
            highlight=False,
        )


def _refuse_other_work(one: Experiment, other: Experiment) -> None:
    same = one.workload_digest == other.workload_digest
    if not same or one.plan.answers_alike != other.plan.answers_alike:
        what = "lengths of answers" if same else "workloads"
        raise DynoError(
            f"The two experiments have different {what}.", "Compare two that ask the same."
        )


def _found(store: Store, id_: str) -> Experiment:
    found = store.experiment(id_, None)
    if found is None:
        raise DynoError(
            f"There is no experiment {id_}.", "python -m app.bench experiments lists them."
        )
    return found


def _concluded(store: Store, experiment: Experiment) -> Conclusion:
    plan = experiment.plan
    ids = [one.setup.id for one in plan.setups]
    return conclude(plan.labels, ids, store.samples(experiment.id), plan.confidence)


def _as_json(experiment: Experiment, conclusion: Conclusion) -> dict[str, Any]:
    return {"experiment": _bare(experiment), "conclusion": asdict(conclusion)}


def _bare(experiment: Experiment) -> dict[str, Any]:
    return experiment.model_dump(mode="json", exclude={"visitor"})


def _exit_code(experiment: Experiment, cancel: CancelToken) -> int:
    if cancel.is_cancelled:
        return EXIT_STOPPED
    if len(experiment.left_out) == len(experiment.plan.setups):
        return EXIT_NOTHING
    is_whole = experiment.state == "finished" and not experiment.left_out
    return EXIT_DONE if is_whole else EXIT_INCOMPLETE


@contextlib.contextmanager
def _store(*, writes: bool = False) -> Iterator[Store]:
    """The store of this machine's data folder. Who writes gets its problem raised: nothing is run
    that cannot be recorded."""
    store = Store.open(get_settings())
    try:
        if writes and store.problem is not None:
            raise store.problem
        yield store
    finally:
        store.close()


@contextlib.contextmanager
def _told(console: Console) -> Iterator[None]:
    """Errors as a sentence and what to do, with the exit code for them."""
    try:
        yield
    except DynoError as error:
        told = f"{error.message} {error.remedy}".strip()
        console.print(told, style="red", markup=False, highlight=False)
        raise typer.Exit(EXIT_NOTHING) from error


def _console() -> Console:
    """A terminal's own width; wide enough for a table where the output goes to a file."""
    console = Console()
    return console if console.is_terminal else Console(width=160)
