"""The energy pass: the workload is answered again while the joules are counted that it takes."""

from __future__ import annotations

from app.bench.energy.figures import Spent, joules_per_token, not_measured
from app.bench.energy.meter import EnergyMeter
from app.bench.experiments.order import ENERGY_ROUND, Cell, sequence
from app.bench.experiments.pass_work import Figures, PassWork, reason_of
from app.bench.experiments.workloads import prompts_of, salt_of, salted
from backends.errors import DynoError
from backends.registry import get_backend
from backends.request import Request

# Enough for an interval; more would only take longer.
_MOST_ROUNDS = 8


def energy_pass(work: PassWork) -> Figures | None:
    """Figures of every setup by its index; None where it was stopped on the way. Where nothing
    counts the energy of a setup's device, no run is made for it."""
    plan = work.experiment.plan
    spent: dict[int, list[Spent]] = {index: [] for index in range(len(plan.setups))}
    disturbed = dict.fromkeys(spent, 0)
    meters, problems = _meters(work)
    prompts = [prompts_of(messages) for messages in work.workload.conversations]
    rounds = min(plan.repeats, _MOST_ROUNDS)
    for cell in sequence(len(plan.setups), work.workload.turns, rounds, plan.seed):
        meter = meters.get(cell.setup)
        if meter is None or cell.setup in problems or cell.setup in work.left_out:
            continue
        if work.why_stop():
            return None
        salt = salt_of(plan.seed, "energy", cell.round, cell.conversation) if plan.salted else ""
        messages = salted(prompts[cell.conversation][cell.turn], salt)
        place = Cell(ENERGY_ROUND, cell.conversation, cell.turn, cell.setup)
        request = Request(messages=messages, sampling=plan.sampling_of(cell.conversation))
        record = work.run_until(lambda run: run.is_undisturbed, place, request, meter)
        if meter.problem:
            problems[cell.setup] = meter.problem
        tokens = record.usage.output_tokens if record.usage else None
        if record.status == "finished" and tokens and meter.joules is not None:
            spent[cell.setup].append(Spent(cell.round, meter.joules, tokens))
            disturbed[cell.setup] += bool(record.disturbed)
    if work.why_stop():
        return None
    problems |= {index: why.rstrip(".") for index, why in work.left_out.items()}
    return {
        index: (
            not_measured(problems[index])
            if index in problems
            else joules_per_token(runs, disturbed[index]),
        )
        for index, runs in spent.items()
    }


def _meters(work: PassWork) -> tuple[dict[int, EnergyMeter], dict[int, str]]:
    """A meter of each setup's device, and why another has none."""
    meters: dict[int, EnergyMeter] = {}
    problems: dict[int, str] = {}
    for index, one in enumerate(work.experiment.plan.setups):
        try:
            device = get_backend(one.setup.backend).device_of(one.setup)
            meters[index] = EnergyMeter(work.laboratory.counter_of(device))
        except DynoError as error:
            problems[index] = reason_of(error)
    return meters, problems
