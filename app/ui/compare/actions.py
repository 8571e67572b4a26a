"""What can be done with experiments, as callbacks; what is in the way the next drawing says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

import streamlit as st

from app.bench.experiments.archive import AlreadyHere, import_json
from app.bench.experiments.experiment import Experiment
from app.bench.experiments.plan import Plan
from app.bench.experiments.running import CannotResume
from app.bench.experiments.shelf import WorkloadShelf
from app.bench.experiments.workloads import Workload, built_in
from app.bench.store.experiments import MAX_NAME_CHARS
from app.ui import chat_state
from app.ui.compare import address, drafting
from app.ui.compare.draft import draft_of
from app.ui.errors import show_error
from app.ui.safe_text import plain_text_as_markdown
from app.ui.server import get_server
from backends.errors import DynoError

_PROBLEM, _DELETED = "compare_problem", "compare_deleted"


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


def run_again(id_: str) -> None:
    """The same plan with the same prompts, as an experiment of its own."""

    def begin() -> None:
        experiment, workload = _kept(id_)
        start(experiment.plan, workload)

    attempt(begin)


def edit_copy(id_: str) -> None:
    """The form with the plan and prompts of an experiment."""

    def begin() -> None:
        experiment, workload = _kept(id_)
        plan = experiment.plan
        draft = draft_of(plan, None if plan.workload in built_in() else workload)
        drafting.show(replace(draft, name=f"{plan.name} (copy)"[:MAX_NAME_CHARS]))

    attempt(begin)


def _kept(id_: str) -> tuple[Experiment, Workload]:
    """An experiment of this visitor with what it asked. Raises `DynoError`."""
    server = get_server()
    experiment = server.store.experiment(id_, server.visitor())
    if experiment is None:
        raise CannotResume("This experiment is gone.", "The list shows those that there are.")
    return experiment, server.experiments.workload_of(experiment)


def take_in(file: BinaryIO) -> None:
    """Import an experiment from a file and show it; one that is here already is shown as it is."""
    server = get_server()
    shelf = WorkloadShelf(server.settings)

    def keep() -> None:
        try:
            experiment = import_json(server.store, file, server.visitor(), shelf)
        except AlreadyHere as error:
            experiment = error.experiment
            chat_state.notice(error.message)
        address.show_experiment(experiment.id)

    attempt(keep)


def rename(id_: str, name: str) -> None:
    """Empty: the plan's own name again."""
    server = get_server()
    attempt(lambda: server.store.rename_experiment(id_, server.visitor(), name))


def delete(id_: str) -> None:
    """Hide it, and show the list, which offers to bring it back. One that runs is ended first."""
    server, visitor = get_server(), get_server().visitor()

    def hide() -> None:
        experiment = server.store.experiment(id_, visitor)
        if experiment is None:
            return
        if server.experiments.status(id_) is not None:
            server.experiments.cancel(id_, visitor)
        server.store.delete_experiment(id_, visitor)
        st.session_state[_DELETED] = (id_, experiment.plan.name)
        address.show_list()

    attempt(hide)


def offer_undo() -> None:
    """Until something else is deleted, what was deleted last can be brought back."""
    deleted: tuple[str, str] | None = st.session_state.get(_DELETED)
    if deleted is None:
        return
    id_, name = deleted
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain_text_as_markdown(f"Deleted “{name}” and its runs."), width="content")
        st.button("Undo", key="undo-delete", type="tertiary", on_click=_restore, args=(id_,))


def _restore(id_: str) -> None:
    server = get_server()

    def bring_back() -> None:
        server.store.restore_experiment(id_, server.visitor())
        st.session_state.pop(_DELETED, None)

    attempt(bring_back)


def resume(id_: str) -> None:
    server = get_server()
    attempt(lambda: server.experiments.resume(id_, server.visitor()))


def pause(id_: str) -> None:
    server = get_server()
    attempt(lambda: server.experiments.pause(id_, server.visitor()))


def cancel(id_: str) -> None:
    server = get_server()
    attempt(lambda: server.experiments.cancel(id_, server.visitor()))
