"""The passes of an experiment beside its runs: which the plan asks for, and their order."""

from __future__ import annotations

from collections.abc import Callable

from app.bench.energy.figures import METRIC as ENERGY_METRIC
from app.bench.energy.figures import energy_formula
from app.bench.experiments.energy_pass import energy_pass
from app.bench.experiments.pass_work import Figures, PassWork
from app.bench.experiments.quality_pass import quality_pass
from app.bench.quality.figures import quality_formula


def run_passes(work: PassWork) -> str:
    """Make each pass that the plan asks for, unless it is kept already. Returns why one is missing,
    empty where none is: a pass that broke off is made anew by the next sitting.

    Raises `NotRecorded` where a pass cannot be kept.
    """
    experiment, store = work.experiment, work.laboratory.store
    wanted: dict[str, Callable[[PassWork], Figures | None]] = {}
    if experiment.plan.quality:
        wanted["quality"] = quality_pass
    if experiment.plan.energy:
        wanted["energy"] = energy_pass
    kept = {one.name for one in store.passes(experiment.id)} if wanted else set()
    for name, make in wanted.items():
        if name in kept:
            continue
        found = work.why_stop() or make(work)
        if found is None or isinstance(found, str):
            return found or work.why_stop()
        _keep(work, name, found)
    return ""


def formula_of(metric: str) -> str:
    """How a figure of a pass is obtained, in words."""
    return energy_formula() if metric == ENERGY_METRIC else quality_formula(metric)


def _keep(work: PassWork, name: str, figures: Figures) -> None:
    store, id_ = work.laboratory.store, work.experiment.id
    work.keep(lambda: store.save_pass(id_, name, figures), f"the {name} pass")
