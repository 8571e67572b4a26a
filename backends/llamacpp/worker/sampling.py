"""How the next token is chosen, by llama.cpp's samplers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import llama_cpp

from backends.llamacpp.worker.context import Context
from backends.request import Sampling


@contextmanager
def sampler(context: Context, sampling: Sampling, ends: Sequence[int]) -> Iterator[Any]:
    """A chain of samplers: exactly the request's sampling, in transformers' order. With a fixed
    length the tokens that `ends` an answer cannot be chosen."""
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    try:
        for link in _links(context, sampling, ends):
            llama_cpp.llama_sampler_chain_add(chain, link)
        yield chain
    finally:
        llama_cpp.llama_sampler_free(chain)


def _links(context: Context, sampling: Sampling, ends: Sequence[int]) -> Iterator[Any]:
    if sampling.fixed_length and ends:
        biases = [llama_cpp.llama_logit_bias(end, float("-inf")) for end in ends]
        never = (llama_cpp.llama_logit_bias * len(ends))(*biases)
        yield llama_cpp.llama_sampler_init_logit_bias(context.vocab_size, len(ends), never)
    if sampling.temperature == 0:
        yield llama_cpp.llama_sampler_init_greedy()
        return
    yield llama_cpp.llama_sampler_init_temp(sampling.temperature)
    if sampling.top_p < 1:
        yield llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1)
    yield llama_cpp.llama_sampler_init_dist(sampling.seed)
