"""How much of a public server one visitor's experiment may take."""

from __future__ import annotations

from app.bench.experiments.plan import Plan, PlanInvalid
from app.bench.experiments.workloads import Workload
from backends.catalog import catalog
from backends.settings import Settings

_LONGEST_PROMPTS = 10


def bounded(plan: Plan, workload: Workload, settings: Settings) -> Plan:
    """The plan as a server with these settings takes it: in public mode it gets the time budget
    that is allowed, if it has none.

    Raises `PlanInvalid` for more than that, for too many runs, and for a model that the catalog of
    a public server does not have, and for a file to be opened.
    """
    if not settings.public:
        return plan
    _refuse_private_models(plan)
    if plan.quality_text:
        raise PlanInvalid(
            "This public server opens no files for a plan.", "Leave quality_text out of it."
        )
    runs = len(plan.setups) * plan.repeats * sum(workload.turns)
    if runs > settings.public_experiment_runs:
        raise PlanInvalid(
            f"The plan asks for {runs:,} runs; this public server makes at most "
            f"{settings.public_experiment_runs:,} for one experiment.",
            "Take fewer repeats, setups or prompts, or run the app on your own machine.",
        )
    _refuse_long_prompts(workload, settings.max_prompt_chars)
    minutes = settings.public_experiment_minutes
    budget = plan.time_budget_seconds
    if budget is not None and budget > minutes * 60:
        raise PlanInvalid(
            f"The time budget is {budget / 60:g} minutes; this public server gives an experiment "
            f"at most {minutes:g}.",
            "Plan a smaller one, or run the app on your own machine.",
        )
    return plan.model_copy(update={"time_budget_seconds": budget or minutes * 60})


def _refuse_long_prompts(workload: Workload, max_prompt_chars: int) -> None:
    """All prompts are kept: together they may be as long as ten of the longest."""
    lengths = [sum(len(one.content) for one in talk) for talk in workload.conversations]
    if max(lengths) > max_prompt_chars or sum(lengths) > _LONGEST_PROMPTS * max_prompt_chars:
        raise PlanInvalid(
            f"The prompts have {sum(lengths):,} characters; this public server takes at most "
            f"{max_prompt_chars:,} in one and {_LONGEST_PROMPTS * max_prompt_chars:,} in all.",
            "Take fewer or shorter ones, or run the app on your own machine.",
        )


def _refuse_private_models(plan: Plan) -> None:
    known = {*catalog(), *(model.draft for model in catalog().values())}
    for one in plan.setups:
        if one.setup.model not in catalog() or one.setup.draft_model not in {None, *known}:
            raise PlanInvalid(
                "This server offers the models of its catalog only.", "Choose one of them."
            )
