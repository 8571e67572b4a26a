"""A setup: one way to run a model, as a frozen, validated value with a stable id.

Knows the toggles and their words. Does not know which backend offers which value: that is in
`capabilities`.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Those of transformers, then those of GGUF files; "gguf" is whatever a file holds.
Weights = (
    Literal["fp32", "bf16", "fp16", "int8", "nf4", "gptq-int4", "gptq-int8"]
    | Literal["q8_0", "q4_0", "q4_k_m", "gguf"]
)
KvCache = Literal["off", "dynamic", "sliding", "static", "quantized"]
History = Literal["full", "none"]
Speculation = Literal["none", "draft", "lookup"]
Attention = Literal["sdpa", "eager", "flash"]
Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")]


class Setup(BaseModel):
    """One way to run a model. Equal setups have equal ids; `name` is a label and not part of it.

    `threads` is for the CPU; None means the default of the machine (cores - 1, at least 1).
    `draft_model` None is the catalog's draft for the model; `draft_tokens` None lets the number of
    guesses a cycle follow how many are accepted (for prompt lookup: ten).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    schema_version: Literal[1] = 1
    model: Annotated[str, StringConstraints(min_length=1, max_length=512)] = "bundled"
    revision: Annotated[str, StringConstraints(max_length=128)] | None = None
    backend: str = "local"
    weights: Weights = "fp32"
    kv_cache: KvCache = "dynamic"
    reuse_prefix: bool = False
    speculation: Speculation = "none"
    draft_model: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = None
    draft_tokens: Annotated[int, Field(ge=1, le=64)] | None = None
    compile: bool = False
    attention: Attention = "sdpa"
    prefill_chunk: Annotated[int, Field(ge=16, le=16_384)] | None = None
    history: History = "full"
    device: Device = "auto"
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    options: dict[str, bool | int | float | str] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """First 12 hex digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()[:12]

    @property
    def engine_key(self) -> str:
        """Id of the engine that serves this setup. An engine knows its whole setup and follows it
        ("no history" included), and its memory is measured alone: setups share none.
        """
        return self.id

    def canonical_json(self) -> str:
        """What differs from the defaults, so that a new toggle leaves the ids of old setups."""
        chosen = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(chosen, sort_keys=True, separators=(",", ":"))
