"""Two experiments that asked the same: whether they may be held together, and which runs tell where
each was made. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.samples import RunSample


def why_not_across(one: Experiment, other: Experiment) -> str:
    """Why figures of two experiments cannot be held against each other; empty where they can."""
    if one.workload_digest != other.workload_digest:
        return "it asks something else"
    if one.plan.answers_alike != other.plan.answers_alike:
        return "its answers have other lengths"
    if one.plan.salted != other.plan.salted:
        return "only one of the two salts its prompts"
    if not {s.setup.id for s in one.plan.setups} & {s.setup.id for s in other.plan.setups}:
        return "it has none of these setups"
    return ""


def spread_over(samples: Sequence[RunSample], each: int) -> list[str]:
    """Ids of up to so many finished runs of each setup, evenly from its first to its last."""
    by_setup: dict[int, list[RunSample]] = {}
    for sample in sorted(samples, key=lambda run: run.created_at):
        if sample.status == "finished":
            by_setup.setdefault(sample.place.setup, []).append(sample)
    return [
        runs[round(place * (len(runs) - 1) / max(1, min(each, len(runs)) - 1))].run_id
        for runs in by_setup.values()
        for place in range(min(each, len(runs)))
    ]
