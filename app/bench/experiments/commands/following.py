"""An experiment is conducted while the terminal shows how far it is and listens for Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.bench.benchmarks.engines import opened_bench
from app.bench.benchmarks.quiet import MachineBusy, refuse_if_busy
from app.bench.experiments.clock_drops import why_not_watched
from app.bench.experiments.expectation import Expectation
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.progress import Status
from app.bench.experiments.running import Laboratory, conduct
from app.bench.experiments.workloads import Workload
from app.bench.format import about_seconds
from app.bench.store import Store
from backends.engine import CancelToken

_LOOK_SECONDS = 0.1


def conducted(
    store: Store,
    begun: Experiment,
    workload: Workload,
    console: Console,
    cancel: CancelToken,
    conduct_there: Callable[..., Experiment] | None = None,
) -> Experiment:
    """The experiment at its end; `cancel` is cancelled where Ctrl-C ended it. `conduct_there`
    makes its runs elsewhere.

    Raises `Cancelled` for a stop before its first run.
    """
    warn_if_busy(console)
    if unseen := why_not_watched():
        console.print(f"Not watched: {unseen}.", style="dim", markup=False, highlight=False)
    with opened_bench() as bench:
        laboratory, make = Laboratory(bench, store), conduct_there or conduct
        return _followed(
            console, lambda tell: make(laboratory, begun, workload, cancel, tell), cancel
        )


def say_expected(found: Expectation, console: Console) -> None:
    """What all runs of a plan will take, also where some are made already."""
    if found.seconds is None:
        told = f"Duration {found.reason}."
    else:
        cost = f", ${found.dollars:.4f}" if found.dollars is not None else f"; {found.reason}"
        told = f"Expected of all runs: about {about_seconds(found.seconds)}{cost}."
    console.print(told, style="dim", markup=False, highlight=False)


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
        parts.append(f"about {about_seconds(status.seconds_left)} left")
    if status.dollars is not None:
        more = "" if status.dollars_left is None else f", about ${status.dollars_left:.4f} to come"
        parts.append(f"${status.dollars:.4f} spent{more}")
    if status.disturbed:
        parts.append(f"{status.disturbed} disturbed")
    return " · ".join(parts)


def warn_if_busy(console: Console) -> None:
    try:
        refuse_if_busy()
    except MachineBusy as error:
        console.print(
            f"{error.message} Runs that it disturbs are made again, once.",
            markup=False,
            highlight=False,
        )
