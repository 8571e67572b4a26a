"""Why an optimisation is slower here: one sentence for each known cause. Pure functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.bench.figures import acceptance, tpot
from app.bench.record import RunRecord

# One answer is no proof: only what is plain to see is remarked on.
_PLAINLY_SLOWER = 1.2
_FEW_GUESSES = 0.5


@dataclass(frozen=True, slots=True)
class Cause:
    """`holds` for the runs that are slower for this reason."""

    holds: Callable[[RunRecord], bool]
    sentence: str


def _on_cpu(run: RunRecord) -> bool:
    return run.environment.device == "cpu"


def _few_accepted(run: RunRecord) -> bool:
    share = acceptance(run).value
    return run.setup.speculation != "none" and (share is None or float(share) < _FEW_GUESSES)


# The first that holds is told: what costs most comes first.
CAUSES = (
    Cause(
        lambda run: run.setup.kv_cache == "off",
        "Without a KV cache every token computes the whole text again.",
    ),
    Cause(
        lambda run: run.setup.kv_cache == "quantized",
        "A quantized KV cache is unpacked whole for every token.",
    ),
    Cause(
        _few_accepted,
        "Few guesses were accepted, so the work of guessing and checking them was lost.",
    ),
    Cause(
        lambda run: run.setup.speculation != "none",
        "A cycle of guessing and checking took longer here than the tokens it gave would have.",
    ),
    Cause(
        lambda run: run.setup.weights == "int8" and _on_cpu(run),
        "LLM.int8 is made for GPUs: on a CPU its products are put together from 8-bit and 16-bit "
        "parts, which costs more than reading fewer bytes saves.",
    ),
    Cause(
        lambda run: run.setup.weights in ("nf4", "gptq-int4", "gptq-int8") and _on_cpu(run),
        "Packed weights are unpacked for every product; for a model that fits the caches of the "
        "CPU there is little reading to save.",
    ),
    Cause(
        lambda run: run.setup.weights in ("bf16", "fp16") and _on_cpu(run),
        "16 bits save memory; they save time only where reading the weights is what takes it, or "
        "where the CPU computes in them.",
    ),
    Cause(
        lambda run: run.setup.attention == "eager",
        "Eager attention writes its scores to memory; the fused kernel does not.",
    ),
    Cause(
        lambda run: run.setup.kv_cache == "static",
        "A static cache attends to its whole room, also to the places that are still empty.",
    ),
)


def why_slower(run: RunRecord, reference: RunRecord) -> str:
    """How much slower an answer came than the reference's, and why; empty where it did not, where
    the two are not finished, or where no cause is known."""
    mine, other = tpot(run).value, tpot(reference).value
    if run.id == reference.id or not mine or not other:
        return ""
    if not (run.is_undisturbed and reference.is_undisturbed):
        return ""
    times = float(mine) / float(other)
    cause = next((cause for cause in CAUSES if cause.holds(run)), None)
    if times < _PLAINLY_SLOWER or cause is None:
        return ""
    return f"{times:.1f}× slower a token in this answer. {cause.sentence}"
