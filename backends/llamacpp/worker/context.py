"""A GGUF model in memory and its KV cache, by llama.cpp's own functions."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from backends.errors import GenerationFailed, LoadFailed
from backends.llamacpp.options import DEFAULT_CONTEXT_TOKENS, context_too_long
from backends.llamacpp.worker.logs import listening
from backends.worker.stop_flag import StopFlag

CACHE_TYPES = {
    "f16": llama_cpp.GGML_TYPE_F16,
    "q8_0": llama_cpp.GGML_TYPE_Q8_0,
    "q4_0": llama_cpp.GGML_TYPE_Q4_0,
}
# How many tokens one pass computes at most.
PASS_TOKENS = 512
_ABORTED = 2
_VALUE_BYTES = 256
_LINES_TOLD = 6
Row = np.ndarray[Any, np.dtype[np.float32]]


class Stopped(Exception):
    """A pass was left because the flag was set."""


class Context:
    """One model with one sequence of tokens in its cache. `held` are those, in order.

    The flag of `stop` is looked at after every operation of a pass.
    """

    def __init__(
        self,
        file: Path,
        *,
        tokens: int | None,
        threads: int,
        stop: StopFlag,
        cache_type: str = "f16",
        gpu_layers: int = 0,
        is_draft: bool = False,
    ) -> None:
        """`tokens` None is the model's own window, as far as it is not very long. Only a draft may
        have more than its window: its guesses are checked.

        Raises `LoadFailed`, or `InvalidSetup` for more tokens than the window holds.
        """
        options = llama_cpp.llama_model_default_params()
        options.n_gpu_layers = gpu_layers
        # Not mapped: the weights are then this process's own memory, and can be measured.
        options.load_mode = llama_cpp.LLAMA_LOAD_MODE_NONE
        told: list[str] = []
        with listening(told.append):
            self.model = llama_cpp.llama_model_load_from_file(str(file).encode(), options)
        if not self.model:
            raise LoadFailed(
                f"llama.cpp cannot open {file.name}.",
                "Check that it is a whole GGUF file of a text-generation model.",
                "".join(told[-_LINES_TOLD:]),
            )
        own_window = llama_cpp.llama_model_n_ctx_train(self.model) or DEFAULT_CONTEXT_TOKENS
        if tokens is not None and tokens > own_window and not is_draft:
            raise context_too_long(own_window)
        self.window = min(own_window, DEFAULT_CONTEXT_TOKENS) if tokens is None else tokens
        self.pointer = self._opened(self.window, threads, cache_type, on_gpu=gpu_layers > 0)
        self.cache_type, self.gpu_layers = cache_type, gpu_layers
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.vocab_size = llama_cpp.llama_vocab_n_tokens(self.vocab)
        self.held: list[int] = []
        self._memory = llama_cpp.llama_get_memory(self.pointer)
        self._stop = stop
        # Kept: native code calls it as long as the context lives.
        self._looks = _looks_at(stop)
        llama_cpp.llama_set_abort_callback(self.pointer, *self._looks)
        self._batch = llama_cpp.llama_batch_init(PASS_TOKENS, 0, 1)
        for index in range(PASS_TOKENS):
            self._batch.n_seq_id[index] = 1
            self._batch.seq_id[index][0] = 0
        # Reading a field of a structure makes a new object each time, in every token's way.
        self._ids, self._positions = self._batch.token, self._batch.pos
        self._wanted = self._batch.logits

    def _opened(self, tokens: int, threads: int, cache_type: str, *, on_gpu: bool) -> Any:
        options = llama_cpp.llama_context_default_params()
        options.n_ctx = tokens
        options.n_batch = options.n_ubatch = PASS_TOKENS
        options.n_threads = options.n_threads_batch = threads
        options.type_k = options.type_v = CACHE_TYPES[cache_type]
        options.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED
        # Without layers there a build for GPUs would still send long passes to it.
        options.offload_kqv = options.op_offload = on_gpu
        options.no_perf = True
        pointer = llama_cpp.llama_init_from_model(self.model, options)
        if not pointer:
            raise LoadFailed(
                f"llama.cpp cannot make a context of {tokens:,} tokens with a {cache_type} cache.",
                "Choose fewer tokens of context, or a KV cache of f16.",
            )
        return pointer

    def metadata(self, key: str) -> str | None:
        """A value of the file, by its key without the architecture's name."""
        architecture = self._value("general.architecture")
        return self._value(f"{architecture}.{key}")

    def _value(self, key: str) -> str | None:
        text = ctypes.create_string_buffer(_VALUE_BYTES)
        length = llama_cpp.llama_model_meta_val_str(self.model, key.encode(), text, len(text))
        return text.value.decode() if length >= 0 else None

    def decode(self, ids: Sequence[int], *, all_logits: bool = False) -> None:
        """Compute these tokens after those that are held. Logits are there for each of the last
        pass's tokens with `all_logits`, else for the last token alone.

        Raises `Stopped` when the flag is set meanwhile: what is held is then not known, and
        `keep(0)` is due.
        """
        for start in range(0, len(ids), PASS_TOKENS):
            self._pass(ids[start : start + PASS_TOKENS], all_logits=all_logits)

    def _pass(self, ids: Sequence[int], *, all_logits: bool) -> None:
        tokens, positions, wanted = self._ids, self._positions, self._wanted
        first, last = len(self.held), len(ids) - 1
        for index, token_id in enumerate(ids):
            tokens[index] = token_id
            positions[index] = first + index
            wanted[index] = all_logits or index == last
        self._batch.n_tokens = last + 1
        code = llama_cpp.llama_decode(self.pointer, self._batch)
        if code == _ABORTED or self._stop.is_set:
            raise Stopped
        if code:
            raise GenerationFailed(
                f"llama.cpp could not compute a pass (code {code}).",
                "Try again; if it stays, unload the engine on the Machine page.",
            )
        self.held.extend(ids)

    def keep(self, tokens: int) -> None:
        """Forget all but the first so many tokens."""
        llama_cpp.llama_memory_seq_rm(self._memory, 0, tokens, -1)
        del self.held[tokens:]

    def logits(self, index: int = -1) -> Row:
        """Logits after a token of the last pass, [vocabulary]; overwritten by the next pass."""
        pointer = llama_cpp.llama_get_logits_ith(self.pointer, index)
        return np.ctypeslib.as_array(pointer, (self.vocab_size,))

    @property
    def has_tokenizer(self) -> bool:
        kind = llama_cpp.llama_vocab_type(self.vocab)
        return bool(kind != llama_cpp.LLAMA_VOCAB_TYPE_NONE)

    @property
    def cache_tokens(self) -> int:
        """How many tokens the cache has room for: it is allocated whole, at the start."""
        return int(llama_cpp.llama_n_ctx(self.pointer))


def _looks_at(stop: StopFlag) -> tuple[Any, ctypes.c_void_p]:
    """What llama.cpp asks whether to go on: a function of C, and what it is given.

    A Python function would be called some hundred times in each pass and cost more than the pass
    of a small model. `strlen` of the flag's text is such a function already: 0 while it is empty.
    """
    library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
    strlen = ctypes.cast(library.strlen, llama_cpp.ggml_abort_callback)
    return strlen, ctypes.cast(stop.text, ctypes.c_void_p)
