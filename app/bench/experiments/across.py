"""Two experiments that asked the same: whether they may be held together, and which runs tell where
each was made. Pure."""

from __future__ import annotations

import numpy as np

from app.bench.experiments.experiment import Experiment
from app.bench.experiments.sample_table import SampleTable


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


def spread_over(samples: SampleTable, each: int) -> list[str]:
    """Ids of up to so many finished runs of each setup, evenly from its first to its last."""
    found = []
    for setup in np.unique(samples.setups):
        mine = np.flatnonzero((samples.setups == setup) & samples.is_finished)
        runs = sorted(mine.tolist(), key=lambda run: samples.created_at[run])
        places = np.linspace(0, len(runs) - 1, min(each, len(runs)))
        found += [samples.run_ids[runs[round(place)]] for place in places.tolist()]
    return found
