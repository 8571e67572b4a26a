"""What is asked of an engine and what comes back: messages, sampling, requests, chunks, usage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

FinishReason = Literal["stop", "length", "cancelled", "error"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(_Frozen):
    role: Literal["system", "user", "assistant"]
    content: str


class Sampling(_Frozen):
    """How tokens are chosen and when to stop.

    Greedy when `temperature` is 0. `fixed_length` makes the engine produce exactly
    `max_new_tokens` tokens, whatever it would say (equal work, for comparing speed).
    """

    temperature: Annotated[float, Field(ge=0.0, le=2.0)] = 0.0
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    max_new_tokens: Annotated[int, Field(ge=1, le=32_768)] = 256
    fixed_length: bool = False
    stop: tuple[str, ...] = ()
    system_prompt: str = ""

    @model_validator(mode="after")
    def _stop_strings_have_content(self) -> Sampling:
        if any(not text for text in self.stop):
            raise ValueError("a stop string must not be empty")
        return self


class Request(_Frozen):
    """One generation: the conversation so far (its last message is the user's) and the sampling.

    Nothing of a warm-up is kept: what follows must find the engine as if it had not been.
    """

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    is_warm_up: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one generation; `prompt_tokens_computed` is less where a prefix was reused.

    None where nobody told: the worker was killed, or a server keeps it to itself. `is_estimated`:
    the output was counted by another than who made it. `reasoning_tokens` are those of the output
    that a server tells to be no part of the answer.
    """

    prompt_tokens: int | None
    prompt_tokens_computed: int | None
    output_tokens: int | None
    is_estimated: bool = False
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """Bytes of the engine's process during one generation; None with `reason` if unknown.

    `weights_bytes` and `kv_cache_bytes` are summed over tensor storages, the draft model's apart
    (None where there is none). `peak_bytes` is the most
    that the process held beyond what it had when it was started; `method` says how it was read.
    `activations_bytes` is known on CUDA only (allocator peak minus weights and cache).
    `compile_bytes` is what was held more after compiling than before; `load_peak_bytes` the most
    that was resident while the weights were loaded, mapped files included (CUDA: allocated).
    """

    weights_bytes: int | None = None
    kv_cache_bytes: int | None = None
    draft_weights_bytes: int | None = None
    draft_kv_cache_bytes: int | None = None
    compile_bytes: int | None = None
    activations_bytes: int | None = None
    peak_bytes: int | None = None
    load_peak_bytes: int | None = None
    method: str = ""
    reason: str = ""

    @property
    def known_bytes(self) -> int:
        """All parts that were summed."""
        parts = (
            self.weights_bytes,
            self.kv_cache_bytes,
            self.draft_weights_bytes,
            self.draft_kv_cache_bytes,
            self.compile_bytes,
        )
        return sum(part or 0 for part in parts)


@dataclass(frozen=True, slots=True)
class SpeculationReport:
    """What guessing did in one generation.

    A cycle: `drafted` guesses, one pass of the target over them, those kept are `accepted`.
    `draft_ns` is the time spent guessing, in all cycles but the first, which holds the prefill.
    """

    drafted: int
    accepted: int
    cycles: int
    draft_ns: int


@dataclass(frozen=True, slots=True)
class GenerationReport:
    """Told once, with the last chunk. Stamps are on the same clock as the chunks'.

    `accepted_ns`: the engine took the request. `ended_ns`: it was free again. `speculation` is None
    where nothing was guessed.
    """

    accepted_ns: int
    ended_ns: int
    usage: Usage
    memory: MemoryReading = MemoryReading()
    speculation: SpeculationReport | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """What an engine emits: the tokens of one step, stamped where the ids exist.

    `t_ns` is the monotonic clock of the process that has the tokens. `token_ids` is None where a
    server does not tell them. `text` may be empty (half a character, a special token); its first
    `accepted_chars` come from guesses that were kept, the rest from the target itself. The last
    chunk carries `finish_reason` and `report`; it may have no tokens.
    """

    token_ids: tuple[int, ...] | None
    text: str
    t_ns: int
    drafted: int = 0
    accepted: int = 0
    accepted_chars: int = 0
    kind: Literal["answer", "reasoning"] = "answer"
    finish_reason: FinishReason | None = None
    report: GenerationReport | None = None
