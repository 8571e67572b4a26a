"""One generation through transformers' `generate`, with exact stamps and an honest stop.

Ids and stamps are taken in the streamer (`streaming`); a stop is seen between tokens and inside a
forward pass (`stopping`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from transformers import CompileConfig, GenerationConfig, StoppingCriteriaList

from backends.limits import new_tokens_allowed
from backends.local.worker import speculation
from backends.local.worker.cache_kinds import cache_bytes
from backends.local.worker.caches import KvCaches
from backends.local.worker.loading import LoadedModel
from backends.local.worker.stopping import LayerGuard, Stopped, StopWhenFlagged
from backends.local.worker.streaming import TokenTap
from backends.request import (
    FinishReason,
    GenerationReport,
    MemoryReading,
    Message,
    Request,
    Sampling,
    Usage,
)
from backends.scores import TextIds
from backends.worker.memory import ProcessMemory
from backends.worker.messages import End, Steps
from backends.worker.prompts import prompt_ids
from backends.worker.stop_flag import StopFlag
from backends.worker.tally import Tally

# Enough for the prefill, which is not compiled, and steps of the compiled decode.
_COMPILING_TOKENS = 4


class Generator:
    """Runs requests on one loaded model."""

    def __init__(self, loaded: LoadedModel, memory: ProcessMemory, stop: StopFlag) -> None:
        self.loaded = loaded
        self._memory = memory
        self.stop = stop
        models = [loaded.model, *([loaded.draft.model] if loaded.draft else [])]
        self.guard = LayerGuard(models, stop)
        self._caches = KvCaches(loaded)
        self._compile_bytes: int | None = None

    def prompt_ids(self, messages: Sequence[Message], sampling: Sampling) -> list[int]:
        """The prompt as the chat template renders it. Raises `InvalidRequest` if it refuses."""
        loaded = self.loaded
        is_plain = loaded.facts.chat_template == "plain"
        history = loaded.setup.history
        return prompt_ids(loaded.tokenizer, history, messages, sampling, is_plain=is_plain)

    def text_ids(self, text: str, after: Sequence[Message]) -> TextIds:
        """Ids of a text as the answer to messages, or as it stands."""
        loaded = self.loaded
        if not after:
            return TextIds(tuple(loaded.tokenizer(text)["input_ids"]), 1)
        prompt = self.prompt_ids(after, Sampling())
        answer = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
        return TextIds((*prompt, *answer), len(prompt))

    def run(self, request: Request, send: Callable[[Steps | End], None]) -> None:
        """Generate and send the steps, then the end with its reason and report."""
        accepted_ns = time.monotonic_ns()
        self._reset_peak()
        sampling = request.sampling
        ids = self.prompt_ids(request.messages, sampling)
        limit = new_tokens_allowed(len(ids), sampling, self.loaded.facts.context_window)
        cache, reused = self._caches.begin(ids, limit)
        tally = None if self.loaded.setup.speculation == "none" else Tally()
        on_first_token = _nothing if cache is None else self.guard.lift
        tap = TokenTap(self.loaded.tokenizer, sampling.stop, send, on_first_token, tally)
        is_whole = False
        with contextlib.suppress(Stopped), self.guard.watching():
            self.generate(ids, sampling, limit, cache, tap, tally)
            is_whole = not request.is_warm_up
        held_text = tap.finish()
        ended_ns = time.monotonic_ns()
        self._caches.end(cache, [*ids, *tap.output_ids], is_whole=is_whole)
        usage = Usage(len(ids), len(ids) - reused, len(tap.output_ids))
        memory = self._memory_reading(cache, tally)
        guesses = tally.report() if tally is not None else None
        report = GenerationReport(accepted_ns, ended_ns, usage, memory, guesses)
        send(End(held_text, self._finish_reason(tap.output_ids, limit), report))

    def generate(
        self,
        ids: list[int],
        sampling: Sampling,
        limit: int,
        cache: Any | None,
        tap: TokenTap | None,
        tally: Tally | None = None,
    ) -> None:
        model, tokenizer = self.loaded.model, self.loaded.tokenizer
        input_ids = torch.tensor([ids], device=model.device)  # [1, prompt tokens]
        extra: dict[str, Any] = {}
        if sampling.stop and not sampling.fixed_length:
            extra |= {"stop_strings": list(sampling.stop), "tokenizer": tokenizer}
        if cache is not None:
            extra["past_key_values"] = cache
        if tap is not None:
            criteria = StopWhenFlagged(self.stop, input_ids.device)
            extra |= {"streamer": tap, "stopping_criteria": StoppingCriteriaList([criteria])}
        extra |= speculation.options(self.loaded)
        counting = (
            contextlib.nullcontext() if tally is None else speculation.counted(self.loaded, tally)
        )
        with counting:
            model.generate(
                input_ids,
                attention_mask=torch.ones_like(input_ids),
                generation_config=self.config(sampling, limit, use_cache=cache is not None),
                **extra,
            )

    def config(self, sampling: Sampling, limit: int, *, use_cache: bool) -> GenerationConfig:
        """Exactly the request's sampling: a checkpoint's own defaults are not mixed in."""
        options: dict[str, Any] = {"do_sample": False}
        if sampling.temperature > 0:
            torch.manual_seed(sampling.seed)
            options = {
                "do_sample": True,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": 0,
            }
        if sampling.fixed_length:
            options["min_new_tokens"] = limit
        setup = self.loaded.setup
        if setup.prefill_chunk is not None:
            options["prefill_chunk_size"] = setup.prefill_chunk
        if setup.compile:
            options["compile_config"] = compile_config(self.loaded.model.device)
        return GenerationConfig(
            # With a static cache transformers compiles by itself on a GPU: off must mean off.
            disable_compile=not setup.compile,
            max_new_tokens=limit,
            use_cache=use_cache,
            eos_token_id=self.loaded.end_token_ids or None,
            pad_token_id=self.loaded.pad_token_id,
            **options,
        )

    def compile(self) -> float:
        """Compile the decode step now, so that no run waits for it. Returns seconds."""
        started, held_bytes = time.perf_counter(), self._held_bytes()
        ids = [self.loaded.pad_token_id] * 4
        sampling = Sampling(max_new_tokens=_COMPILING_TOKENS, fixed_length=True)
        cache, _ = self._caches.begin(ids, _COMPILING_TOKENS)
        self.generate(ids, sampling, _COMPILING_TOKENS, cache, None)
        del cache
        self._compile_bytes = max(0, self._held_bytes() - held_bytes)
        return round(time.perf_counter() - started, 3)

    def free_memory(self) -> None:
        """Give back what is kept for the next request: the device is full."""
        self._caches.forget()
        if self.loaded.model.device.type == "cuda":
            torch.cuda.empty_cache()

    def _finish_reason(self, output_ids: Sequence[int], limit: int) -> FinishReason:
        if output_ids and output_ids[-1] in self.loaded.end_token_ids:
            return "stop"
        if self.stop.is_set:
            return "cancelled"
        return "length" if len(output_ids) >= limit else "stop"

    def _reset_peak(self) -> None:
        self._memory.reset_peak()
        if self.loaded.model.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.loaded.model.device)

    def _held_bytes(self) -> int:
        device = self.loaded.model.device
        if device.type == "cuda":
            return int(torch.cuda.memory_allocated(device))
        return self._memory.held_bytes()

    def _memory_reading(self, cache: Any | None, tally: Tally | None) -> MemoryReading:
        draft_cache = tally.candidates.draft_cache() if tally and tally.candidates else None
        reading = MemoryReading(
            weights_bytes=self.loaded.facts.weights_bytes,
            kv_cache_bytes=cache_bytes(cache),
            draft_weights_bytes=self.loaded.facts.draft_weights_bytes,
            draft_kv_cache_bytes=cache_bytes(draft_cache) if self.loaded.draft else None,
            compile_bytes=self._compile_bytes,
            load_peak_bytes=self.loaded.facts.load_peak_bytes,
        )
        device = self.loaded.model.device
        if device.type == "cuda":
            peak = int(torch.cuda.max_memory_allocated(device))
            activations = max(0, peak - reading.known_bytes)
            method = "CUDA allocator's peak"
            return replace(reading, activations_bytes=activations, peak_bytes=peak, method=method)
        peak, method = self._memory.peak()
        return replace(reading, peak_bytes=peak, method=method)


def compile_config(device: torch.device) -> CompileConfig:
    """CUDA graphs on a GPU; elsewhere one step for caches of any length, and transformers compiles
    only when told to on all devices."""
    if device.type == "cuda":
        return CompileConfig()
    config = CompileConfig(mode="default", dynamic=True)
    config._compile_all_devices = True
    return config


def _nothing() -> None:
    """Without a cache every pass is long, so the guard stays."""
