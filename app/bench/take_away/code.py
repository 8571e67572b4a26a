"""Code that somebody takes away, and where the model's files come from in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backends.catalog import catalog
from backends.local.formats import GPTQ_BITS
from backends.local.weight_files import gptq_bits
from backends.setup import Setup

MADE_HERE = (
    "The GPTQ weights were made on this machine and lie in the data folder: put their folder in "
    "its place."
)
IN_THE_REPOSITORY = "Run it in the folder of LLM Dyno: the model’s files are there."


@dataclass(frozen=True, slots=True)
class Code:
    """Something to run. `missing`: what of the setup it does not say, each as a sentence; `title`
    is what runs it."""

    title: str
    text: str
    missing: tuple[str, ...] = ()


def model_source(setup: Setup) -> tuple[str, str]:
    """Folder of the repository, folder of the user's or Hub id of the weights, and what to know."""
    entry = catalog().get(setup.model)
    bits = GPTQ_BITS.get(setup.weights)
    if entry is not None:
        published = {4: entry.gptq_int4, 8: entry.gptq_int8}.get(bits or 0, entry.target)
        note = IN_THE_REPOSITORY if entry.is_bundled else ""
        return (published, note) if published else (entry.target, MADE_HERE)
    if bits is not None and gptq_bits(Path(setup.model)) != bits:
        return setup.model, MADE_HERE
    return setup.model, ""


def draft_model(setup: Setup) -> str:
    """The draft of a setup that has one; empty where none is known."""
    entry = catalog().get(setup.model)
    return setup.draft_model or (entry.draft if entry is not None else None) or ""
