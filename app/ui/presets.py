"""Comparisons that are one click away, and the prompts of the first visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.bench.conversation import Column, Comparison
from backends.catalog import BUNDLED, catalog
from backends.registry import get_backend
from backends.remote.keys import TakesKey
from backends.request import Sampling
from backends.settings import ROOT
from backends.setup import Setup

EXAMPLE_PROMPTS = (
    "What is the KV cache?",
    "Why is decode slower than prefill?",
    "Tell me a short story about a fox.",
)
_DEFAULT_BACKEND = Setup().backend


@dataclass(frozen=True, slots=True)
class Preset:
    """A sentence and the comparison it stands for, for whatever model is chosen."""

    key: str
    title: str
    about: str
    setups: Callable[[str], tuple[Setup, ...]]
    prompt: Callable[[], str] | None = None
    max_new_tokens: int = 256

    def refusal(self, model: str = BUNDLED) -> str:
        """Why it cannot be had, where an engine that it compares is not here; empty if it can. What
        else is in the way, such as a token that is to be typed, is told where the setup stands."""
        for setup in self.setups(model):
            backend = get_backend(setup.backend)
            if setup.backend != _DEFAULT_BACKEND and not isinstance(backend, TakesKey):
                verdict = backend.check(setup)
                if not verdict.ok:
                    return f"{verdict.reason} {verdict.remedy}"
        return ""

    def comparison(self, model: str = BUNDLED) -> Comparison:
        columns = tuple(Column(setup=setup) for setup in self.setups(model))
        return Comparison(columns=columns, sampling=Sampling(max_new_tokens=self.max_new_tokens))


def long_prompt() -> str:
    """The 512-token prompt that comes with the bundled model."""
    folder = (ROOT / catalog()[BUNDLED].target).parent
    path = folder / "long_prompt.txt"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else EXAMPLE_PROMPTS[0]


PRESETS = (
    Preset(
        "kv",
        "KV cache on or off",
        "The same weights, with keys and values kept or computed again for each token.",
        lambda model: (
            Setup(model=model, kv_cache="dynamic"),
            Setup(model=model, kv_cache="off"),
        ),
    ),
    Preset(
        "kv512",
        "KV cache on or off, 512 tokens of context",
        "A long prompt first: without a cache every token pays for all of it.",
        lambda model: (
            Setup(model=model, kv_cache="dynamic"),
            Setup(model=model, kv_cache="off"),
        ),
        prompt=long_prompt,
    ),
    Preset(
        "dtype",
        "fp32 or bf16",
        "Half the bytes a weight: what it saves, and whether it is faster here.",
        lambda model: (Setup(model=model, weights="fp32"), Setup(model=model, weights="bf16")),
    ),
    Preset(
        "engines",
        "The same weights, two engines",
        "On the CPU: transformers in fp32 beside llama.cpp in F16, the same numbers in both.",
        lambda model: (
            Setup(model=model, weights="fp32", device="cpu"),
            Setup(model=model, backend="llamacpp", weights="fp16"),
        ),
    ),
    Preset(
        "sixteen",
        "fp32, bf16 and fp16",
        "Three number formats of the same weights.",
        lambda model: tuple(
            Setup(model=model, weights=weights) for weights in ("fp32", "bf16", "fp16")
        ),
    ),
    Preset(
        "six",
        "Six ways to run one model",
        "16 bits, INT8, INT4 GPTQ, no KV cache, a draft model and prompt lookup, side by side.",
        lambda model: (
            Setup(model=model, weights="fp16"),
            Setup(model=model, weights="int8"),
            Setup(model=model, weights="gptq-int4"),
            Setup(model=model, weights="fp16", kv_cache="off"),
            Setup(model=model, weights="fp16", speculation="draft"),
            Setup(model=model, weights="fp16", speculation="lookup"),
        ),
    ),
    Preset(
        "quantized",
        "16, 8 and 4 bits",
        "What quantized weights save, what they cost in speed, and what they do to the answer.",
        lambda model: tuple(
            Setup(model=model, weights=weights) for weights in ("bf16", "int8", "nf4", "gptq-int4")
        ),
    ),
    Preset(
        "speculation",
        "Speculation: none, draft model, prompt lookup",
        "The same answer in fewer passes, where the guesses are good.",
        lambda model: tuple(
            Setup(model=model, speculation=speculation)
            for speculation in ("none", "draft", "lookup")
        ),
    ),
    Preset(
        "serverless",
        "Serverless or this machine",
        "Should this model be served here at all? A hosted version beside it; it wants a token.",
        lambda model: (Setup(model=model), Setup(model=model, backend="serverless")),
    ),
    Preset(
        "prefix",
        "Prefix kept or computed again",
        "From the second turn on: is the conversation so far computed again?",
        lambda model: (Setup(model=model), Setup(model=model, reuse_prefix=True)),
    ),
    Preset(
        "history",
        "With and without history",
        "A stateful and a stateless chat: ask about something you said before.",
        lambda model: (Setup(model=model, history="full"), Setup(model=model, history="none")),
    ),
)
DEFAULT_PRESET = PRESETS[0]


def preset(key: str) -> Preset:
    return next(preset for preset in PRESETS if preset.key == key)
