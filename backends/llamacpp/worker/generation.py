"""One generation by llama.cpp: a loop of our own over its passes, so that every token is stamped
when its id exists."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import llama_cpp

from backends.limits import new_tokens_allowed
from backends.llamacpp.worker.context import PASS_TOKENS, Context, Stopped
from backends.llamacpp.worker.guessing import Draft, Guesser, PromptLookup
from backends.llamacpp.worker.loading import LoadedGguf
from backends.llamacpp.worker.sampling import sampler
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
from backends.worker.prompts import common_beginning
from backends.worker.stop_flag import StopFlag
from backends.worker.streaming import StepStream
from backends.worker.tally import Tally

Send = Callable[[Steps | End], None]


class Generator:
    """Runs requests on one loaded model."""

    def __init__(self, loaded: LoadedGguf, memory: ProcessMemory, stop: StopFlag) -> None:
        self.loaded = loaded
        self._memory = memory
        self._stop = stop

    def prompt_ids(self, messages: Sequence[Message], sampling: Sampling) -> list[int]:
        """The prompt as the chat template renders it. Raises `InvalidRequest` if it refuses."""
        return self.loaded.texts.prompt_ids(self.loaded.setup.history, messages, sampling)

    def text_ids(self, text: str, after: Sequence[Message]) -> TextIds:
        """Ids of a text as the answer to messages, or as it stands."""
        texts = self.loaded.texts
        if not after:
            return TextIds(tuple(texts.text_ids(text, is_begun=False)), 1)
        prompt = self.prompt_ids(after, Sampling())
        return TextIds((*prompt, *texts.text_ids(text, is_begun=True)), len(prompt))

    def run(self, request: Request, send: Send) -> None:
        """Generate and send the steps, then the end with its reason and report."""
        accepted_ns = time.monotonic_ns()
        self._memory.reset_peak()
        loaded, sampling = self.loaded, request.sampling
        ids = self.prompt_ids(request.messages, sampling)
        limit = new_tokens_allowed(len(ids), sampling, loaded.context.window)
        reused = self._reused(ids)
        guesser = self._guesser()
        tally = None if guesser is None else Tally()
        stream = StepStream[Sequence[int]](
            loaded.texts.decoder(), _as_lists, sampling.stop, send, tally
        )
        is_whole = False
        with contextlib.suppress(Stopped):
            self._generate(ids, reused, sampling, limit, stream, guesser, tally)
            is_whole = not request.is_warm_up
        held_text = stream.finish()
        ended_ns = time.monotonic_ns()
        if not (is_whole and loaded.setup.reuse_prefix):
            self.free_memory()
        usage = Usage(len(ids), len(ids) - reused, len(stream.output_ids))
        guesses = tally.report() if tally is not None else None
        report = GenerationReport(accepted_ns, ended_ns, usage, self._memory_reading(), guesses)
        send(End(held_text, self._finish_reason(stream.output_ids, limit), report))

    def _reused(self, ids: Sequence[int]) -> int:
        """How many tokens of the prompt are in the cache from the request before. The last one is
        computed in any case: its logits choose the first new one."""
        shared = min(common_beginning(self.loaded.context.held, ids), len(ids) - 1)
        self.loaded.context.keep(shared)
        return shared

    def _guesser(self) -> Guesser | None:
        setup, draft = self.loaded.setup, self.loaded.draft
        if setup.speculation == "lookup":
            return PromptLookup(setup.draft_tokens)
        if draft is not None:
            return Draft(draft.context, setup.draft_tokens, self.loaded.texts.end_token_ids)
        return None

    def _generate(
        self,
        ids: list[int],
        reused: int,
        sampling: Sampling,
        limit: int,
        stream: StepStream[Sequence[int]],
        guesser: Guesser | None,
        tally: Tally | None,
    ) -> None:
        context, ends = self.loaded.context, self.loaded.texts.end_token_ids
        watches = bool(sampling.stop) and not sampling.fixed_length
        with sampler(context, sampling, ends) as chain:
            if guesser is not None and tally is not None:
                steps = _guessed_steps(context, chain, ids, reused, limit, ends, guesser, tally)
            else:
                steps = _plain_steps(context, chain, ids[reused:], limit)
            for step in steps:
                stream.keep(time.monotonic_ns(), step, len(step))
                if step[-1] in ends:
                    return
                if watches:
                    stream.flush()
                    if stream.is_stopped:
                        return

    def free_memory(self) -> None:
        """Forget what is in the cache; its room stays."""
        self.loaded.context.keep(0)

    def _finish_reason(self, output_ids: Sequence[int], limit: int) -> FinishReason:
        if output_ids and output_ids[-1] in self.loaded.texts.end_token_ids:
            return "stop"
        if self._stop.is_set:
            return "cancelled"
        return "length" if len(output_ids) >= limit else "stop"

    def _memory_reading(self) -> MemoryReading:
        facts, draft = self.loaded.facts, self.loaded.draft
        reading = MemoryReading(
            weights_bytes=facts.weights_bytes,
            kv_cache_bytes=self.loaded.cache_bytes,
            draft_weights_bytes=facts.draft_weights_bytes,
            draft_kv_cache_bytes=None if draft is None else draft.cache_bytes,
        )
        if self.loaded.context.gpu_layers:
            reason = "layers lie on the GPU, and llama.cpp does not tell what they take there"
            return replace(reading, reason=reason)
        peak, method = self._memory.peak()
        method = f"{method}; the KV cache is allocated for the whole context"
        load_peak = facts.load_peak_bytes
        return replace(reading, peak_bytes=peak, load_peak_bytes=load_peak, method=method)


def _plain_steps(
    context: Context, chain: Any, prompt: Sequence[int], limit: int
) -> Iterator[Sequence[int]]:
    """One pass a token."""
    context.decode(prompt)
    for made in range(1, limit + 1):
        token = llama_cpp.llama_sampler_sample(chain, context.pointer, -1)
        yield (token,)
        if made < limit:
            context.decode((token,))


def _guessed_steps(
    context: Context,
    chain: Any,
    prompt: Sequence[int],
    reused: int,
    limit: int,
    ends: Sequence[int],
    guesser: Guesser,
    tally: Tally,
) -> Iterator[Sequence[int]]:
    """One pass for the prompt, then one for each cycle of guesses. Tokens are chosen from the
    model's own logits, one after the other for as long as they are the guesses: drawn ones too have
    exactly the distribution that they have without guesses."""
    started_ns = time.perf_counter_ns()
    guesser.begin(prompt)
    tally.guessed(0, time.perf_counter_ns() - started_ns)
    context.decode(prompt[reused:])
    text = [*prompt, llama_cpp.llama_sampler_sample(chain, context.pointer, -1)]
    yield text[-1:]
    longest = len(prompt) + limit
    while len(text) < longest:
        started_ns = time.perf_counter_ns()
        guesses = guesser.guess(text, min(longest - len(text), PASS_TOKENS) - 1)
        tally.guessed(len(guesses), time.perf_counter_ns() - started_ns)
        context.decode([text[-1], *guesses], all_logits=True)
        step: list[int] = []
        for index, guess in enumerate([*guesses, None]):
            step.append(llama_cpp.llama_sampler_sample(chain, context.pointer, index))
            if step[-1] != guess or step[-1] in ends:
                break
        text += step
        context.keep(len(text) - 1)
        guesser.learn(len(guesses), len(step) - 1)
        yield step


def _as_lists(steps: Sequence[Sequence[int]]) -> list[list[int]]:
    return [list(step) for step in steps]
