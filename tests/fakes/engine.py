"""The fake engine: words made from a hash of what came before, at times that a script sets."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backends.engine import CancelToken, ClosedOnExit, EngineFacts
from backends.errors import Cancelled, ContextFull, DynoError, EngineCrashed, InvalidRequest
from backends.request import (
    Chunk,
    FinishReason,
    GenerationReport,
    MemoryReading,
    Message,
    Request,
    Sampling,
    Usage,
)
from backends.scores import TOP_K, Ids, Scores, TextIds
from backends.setup import Setup
from backends.worker.scoring import scores_of
from tests.fakes.clock import FakeClock

MS = 1_000_000
BYTES_PER_WEIGHT = {"fp32": 4, "bf16": 2, "fp16": 2}
PARAMETERS = 1_000
LAYERS, KV_HEADS, HEAD_SIZE = 2, 2, 8
WINDOW = 2_048
_END = 0
_WORDS = 100
_ANSWER_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Script:
    """What an engine does with each request.

    `tokens_per_chunk` is cycled. `fail_at` counts chunks: before that one `error` is raised, or
    with `crashes` the engine dies. At chunk `hold_at` it waits for `gate` (a stop gets through).
    After a stop it still makes `deaf_chunks`. It can score where `blur` says by how much its logits
    are wrong.
    """

    ttft_ns: int = 5 * MS
    gap_ns: int = 2 * MS
    tail_ns: int = 1 * MS
    tokens_per_chunk: tuple[int, ...] = (1,)
    fail_at: int | None = None
    error: DynoError | None = None
    crashes: bool = False
    hold_at: int = 0
    gate: threading.Event | None = None
    deaf_chunks: int = 0
    memory: MemoryReading | None = None
    blur: float | None = None


class FakeEngine(ClosedOnExit):
    """Passes the contract suite. `requests` are those it was given, the last one last."""

    def __init__(
        self, setup: Setup, script: Script, clock: FakeClock, weights_bytes: int | None = None
    ) -> None:
        self.setup = setup
        self.script = script
        self.requests: list[Request] = []
        self.is_alive = True
        self.closed = 0
        self.scored = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._item_bytes = BYTES_PER_WEIGHT[setup.weights]
        self._weights_bytes = weights_bytes or PARAMETERS * self._item_bytes

    def describe(self) -> EngineFacts:
        half = self._weights_bytes // 2
        dtype = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}[self.setup.weights]
        return EngineFacts(
            model_path=self.setup.model,
            revision=self.setup.revision,
            device="cpu",
            device_name="cpu",
            dtypes={dtype: self._weights_bytes},
            parameters=self._weights_bytes // self._item_bytes,
            weights_bytes=self._weights_bytes,
            weights_bytes_by_part={"embeddings": half, "mlp": self._weights_bytes - half},
            context_window=WINDOW,
            layers=LAYERS,
            kv_heads=KV_HEADS,
            head_size=HEAD_SIZE,
            attention_kernel="none",
            threads=self.setup.threads or 1,
            load_seconds=0.25,
        )

    def count_tokens(self, messages: Sequence[Message], sampling: Sampling) -> int:
        return len(self._prompt(messages, sampling))

    def generate(self, request: Request, cancel: CancelToken) -> Iterator[Chunk]:
        with self._lock:
            if not self.is_alive:
                raise EngineCrashed("The fake is gone.", "Send again.")
            self.requests.append(request)
            accepted_ns = self._clock.now_ns()
            prompt = self._prompt(request.messages, request.sampling)
            ids, reason = self._answer(prompt, request.sampling)
            shown = self._shown(ids, request.sampling)
            sent, deaf_chunks = 0, self.script.deaf_chunks
            for index, count in enumerate(itertools.cycle(self.script.tokens_per_chunk)):
                self._hold(index, cancel)
                self._fail(index)
                if cancel.is_cancelled:
                    reason, deaf_chunks = "cancelled", deaf_chunks - 1
                if deaf_chunks < 0 or sent >= len(ids):
                    break
                step = ids[sent : sent + count]
                text = _text(ids[: sent + len(step)])[: len(shown)][len(_text(ids[:sent])) :]
                sent += len(step)
                wait_ns = self.script.gap_ns if index else self.script.ttft_ns
                yield Chunk(tuple(step), text, self._clock.advance(wait_ns))
            ended_ns = self._clock.advance(self.script.tail_ns)
            usage = Usage(len(prompt), len(prompt), sent)
            memory = self.script.memory or self._memory(len(prompt) + sent - 1)
            report = GenerationReport(accepted_ns, ended_ns, usage, memory)
            yield Chunk((), "", ended_ns, finish_reason=reason, report=report)

    def _prompt(self, messages: Sequence[Message], sampling: Sampling) -> list[str]:
        if self.setup.history == "none":
            messages = messages[-1:]
        if not messages or not messages[-1].content.strip():
            raise InvalidRequest("The prompt is empty.", "Type a question.")
        texts = [sampling.system_prompt, *(message.content for message in messages)]
        return [word for text in texts for word in text.split()]

    def _answer(self, prompt: list[str], sampling: Sampling) -> tuple[list[int], FinishReason]:
        """All ids of the answer and why it ends."""
        limit = min(sampling.max_new_tokens, WINDOW - len(prompt))
        if limit < 1 or (sampling.fixed_length and limit < sampling.max_new_tokens):
            raise ContextFull("The prompt does not fit.", "Shorten it.")
        salt = f"{sampling.seed}" if sampling.temperature > 0 else "greedy"
        ids: list[int] = []
        while len(ids) < limit:
            if len(ids) == _ANSWER_TOKENS - 1 and not sampling.fixed_length:
                return [*ids, _END], "stop"
            seen = f"{salt}|{' '.join(prompt)}|{ids}".encode()
            ids.append(1 + hashlib.sha256(seen).digest()[0] % _WORDS)
            if not sampling.fixed_length and any(stop in _text(ids) for stop in sampling.stop):
                return ids, "stop"
        return ids, "length"

    def _shown(self, ids: list[int], sampling: Sampling) -> str:
        text = _text(ids)
        cuts = [at for stop in sampling.stop if (at := text.find(stop)) >= 0]
        return text[: min(cuts)] if cuts else text

    def _hold(self, index: int, cancel: CancelToken) -> None:
        gate = self.script.gate
        if gate is None or index != self.script.hold_at:
            return
        while not gate.wait(0.002) and not cancel.is_cancelled:
            pass

    def _fail(self, index: int) -> None:
        if index != self.script.fail_at:
            return
        if self.script.crashes:
            self.is_alive = False
            raise EngineCrashed(
                "The worker process ended unexpectedly (signal SIGKILL).", "Send again."
            )
        assert self.script.error is not None
        raise self.script.error

    def _memory(self, positions: int) -> MemoryReading:
        kv_bytes = 2 * LAYERS * KV_HEADS * HEAD_SIZE * positions * self._item_bytes
        if self.setup.kv_cache == "off":
            kv_bytes = 0
        peak = self._weights_bytes + kv_bytes + 500
        return MemoryReading(
            weights_bytes=self._weights_bytes,
            kv_cache_bytes=kv_bytes,
            peak_bytes=peak,
            method="made up",
        )

    def close(self) -> None:
        self.closed += 1
        self.is_alive = False


def _text(ids: Sequence[int]) -> str:
    return "".join(f" w{token_id}" for token_id in ids if token_id != _END)


class FakeScorer(FakeEngine):
    """Scores words by made-up logits, which follow from what stands before alone."""

    def text_ids(self, text: str, after: Sequence[Message] = ()) -> TextIds:
        before = self._prompt(after, Sampling()) if after else []
        words = [*before, *text.split()]
        ids = tuple(hashlib.sha256(word.encode()).digest()[0] % _WORDS for word in words)
        return TextIds(ids, len(before) or 1)

    def score(
        self, text: TextIds, cancel: CancelToken, *, top_k: int = TOP_K, ids: Ids | None = None
    ) -> Scores:
        if cancel.is_cancelled:
            raise Cancelled("Scoring was stopped.")
        self.scored += 1
        rows = [self._logits(text.token_ids[:end]) for end in self._ends(text)]
        return scores_of([np.array(rows, dtype=np.float32)], text.scored, top_k, ids)

    def _ends(self, text: TextIds) -> range:
        return range(text.prompt_tokens, len(text.token_ids))

    def _logits(self, before: tuple[int, ...]) -> Any:
        seen = hashlib.sha256(repr(before).encode()).digest()
        made_up = np.random.default_rng(int.from_bytes(seen[:8])).normal(size=(2, _WORDS))
        return 2 * made_up[0] + (self.script.blur or 0.0) * made_up[1]
