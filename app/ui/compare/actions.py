"""What can be done with experiments, as callbacks; what is in the way the next drawing says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import Plan
from app.bench.experiments.workloads import Workload, built_in
from app.ui.compare import address, drafting
from app.ui.compare.draft import draft_of
from app.ui.errors import show_error
from app.ui.server import get_server
from backends.errors import DynoError

_PROBLEM = "compare_problem"


def draw_problem() -> None:
    """What the last click ran into, once."""
    problem: DynoError | None = st.session_state.pop(_PROBLEM, None)
    if problem is not None:
        show_error(problem)


def attempt(action: Callable[[], object]) -> None:
    try:
        action()
    except DynoError as error:
        st.session_state[_PROBLEM] = error


def start(plan: Plan, workload: Workload) -> None:
    """Begin an experiment and show it."""
    server = get_server()

    def begin() -> None:
        address.show_experiment(server.experiments.start(plan, workload, server.visitor()).id)

    attempt(begin)


def run_again(experiment: Experiment) -> None:
    """The same plan with the same prompts, as an experiment of its own."""
    board = get_server().experiments

    def begin() -> None:
        start(experiment.plan, board.workload_of(experiment))

    attempt(begin)


def edit_copy(experiment: Experiment) -> None:
    """The form with the plan and prompts of an experiment."""

    def begin() -> None:
        plan = experiment.plan
        is_own = plan.workload not in built_in()
        workload = get_server().experiments.workload_of(experiment) if is_own else None
        drafting.start(replace(draft_of(plan, workload), name=f"{plan.name} (copy)"[:120]))
        address.show_form()

    attempt(begin)


def resume(id_: str) -> None:
    server = get_server()
    attempt(lambda: server.experiments.resume(id_, server.visitor()))


def pause(id_: str) -> None:
    server = get_server()
    attempt(lambda: server.experiments.pause(id_, server.visitor()))


def cancel(id_: str) -> None:
    server = get_server()
    attempt(lambda: server.experiments.cancel(id_, server.visitor()))
