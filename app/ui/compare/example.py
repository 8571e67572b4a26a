"""The experiment that is one click away: six ways to run a model, as far as they work here."""

from __future__ import annotations

from dataclasses import dataclass

from app.bench.experiments.plan import Plan, PlannedSetup
from backends.catalog import BUNDLED
from backends.registry import get_backend
from backends.setup import Setup

_SIX = (
    ("fp32", Setup(weights="fp32")),
    ("bf16", Setup(weights="bf16")),
    ("INT8", Setup(weights="int8")),
    ("INT4 GPTQ", Setup(weights="gptq-int4")),
    ("no KV cache", Setup(kv_cache="off")),
    ("with a draft", Setup(speculation="draft")),
)


@dataclass(frozen=True, slots=True)
class Example:
    """`left_out`: the names of setups that do not work here, each with the reason."""

    plan: Plan
    left_out: dict[str, str]


def example() -> Example:
    """Small enough to be done in minutes, with pairs enough for a verdict."""
    verdicts = {label: get_backend(setup.backend).check(setup) for label, setup in _SIX}
    setups = [
        PlannedSetup(label=label, setup=setup.model_copy(update={"model": BUNDLED}))
        for label, setup in _SIX
        if verdicts[label].ok
    ]
    plan = Plan(
        name="Ways to run the bundled model",
        setups=tuple(setups),
        workload="short-chat",
        repeats=2,
        output_tokens=32,
    )
    left_out = {
        label: f"{verdict.reason} {verdict.remedy}".strip()
        for label, verdict in verdicts.items()
        if not verdict.ok
    }
    return Example(plan, left_out)
