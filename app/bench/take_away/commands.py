"""Commands that start a server with a setup's optimisations, and what they cannot say.

The flags are those of `backends.remote.servers`, where each kind of server is known.
"""

from __future__ import annotations

import json
import shlex

from app.bench.take_away.code import Code, draft_model, model_source
from backends.llamacpp.options import cache_type
from backends.remote.servers import KINDS
from backends.setup import Setup

_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
_GGUF = "MODEL.gguf stands for the file that this app wrote or fetched into the data folder."
_GUESSES = 5  # that a server needs to be told where this app lets them follow their success


def commands_for(setup: Setup) -> tuple[Code, ...]:
    """Ways to serve what the setup is; none for what others host."""
    match setup.backend:
        case "local":
            return _vllm(setup), _tgi(setup)
        case "llamacpp":
            return (_llama_server(setup),)
        case "endpoint":
            return _own_server(setup)
    return ()


def _vllm(setup: Setup) -> Code:
    source, note = model_source(setup)
    parts, missing = ["vllm", "serve", source], [note] if note else []
    if setup.revision:
        parts += ["--revision", setup.revision]
    if setup.weights in _DTYPES:
        parts += ["--dtype", _DTYPES[setup.weights]]
    elif setup.weights.startswith("gptq"):
        parts += ["--quantization", "gptq_marlin"]
    elif setup.weights == "nf4":
        parts += ["--quantization", "bitsandbytes"]
    else:
        missing.append("vLLM has no INT8 by bitsandbytes: this takes the checkpoint’s type.")
    missing += _cache_missing(setup, "vLLM", "--kv-cache-dtype fp8 has 8 bits")
    if setup.speculation == "draft":
        told = {
            "model": draft_model(setup),
            "num_speculative_tokens": setup.draft_tokens or _GUESSES,
        }
        parts += ["--speculative-config", json.dumps(told)]
    elif setup.speculation == "lookup":
        guesses = setup.draft_tokens or _GUESSES
        told = {"method": "ngram", "num_speculative_tokens": guesses, "prompt_lookup_max": 4}
        parts += ["--speculative-config", json.dumps(told)]
    if not setup.reuse_prefix:
        parts += ["--no-enable-prefix-caching"]
    if not setup.compile:
        parts += ["--enforce-eager"]
    return Code("vLLM", shlex.join(parts), tuple(missing))


def _tgi(setup: Setup) -> Code:
    source, note = model_source(setup)
    parts, missing = ["text-generation-launcher", "--model-id", source], [note] if note else []
    if setup.revision:
        parts += ["--revision", setup.revision]
    kinds = {"int8": "bitsandbytes", "nf4": "bitsandbytes-nf4"}
    if setup.weights.startswith("gptq"):
        parts += ["--quantize", "gptq"]
    elif setup.weights in kinds:
        parts += ["--quantize", kinds[setup.weights]]
    elif setup.weights in ("bf16", "fp16"):
        parts += ["--dtype", _DTYPES[setup.weights]]
    else:
        missing.append("TGI computes in 16 bits where this setup has fp32.")
    missing += _cache_missing(setup, "TGI", "--kv-cache-dtype fp8_e5m2 has 8 bits")
    if setup.speculation == "lookup":
        parts += ["--speculate", str(setup.draft_tokens or _GUESSES)]
    elif setup.speculation == "draft":
        missing.append("TGI takes no draft model: it guesses by prompt lookup or by trained heads.")
    return Code("TGI", shlex.join(parts), tuple(missing))


def _cache_missing(setup: Setup, server: str, nearest: str) -> list[str]:
    if setup.kv_cache == "off":
        return [f"{server} always keeps a KV cache."]
    if setup.kv_cache == "quantized":
        return [f"{server} has no KV cache of 4 bits; {nearest}."]
    return []


def _llama_server(setup: Setup) -> Code:
    source, _ = model_source(setup)
    is_file = source.endswith(".gguf")
    parts = ["llama-server", "-m", source if is_file else "MODEL.gguf"]
    missing = [] if is_file else [_GGUF]
    if setup.threads is not None:
        parts += ["--threads", str(setup.threads)]
    kind = cache_type(setup)
    if kind != "f16":
        parts += ["--cache-type-k", kind, "--cache-type-v", kind]
    if setup.speculation == "draft":
        parts += ["-md", "DRAFT.gguf"]
        missing.append("DRAFT.gguf stands for the draft’s file.")
    elif setup.speculation == "lookup":
        parts += ["--spec-type", "ngram-simple"]
    return Code("llama.cpp server", shlex.join(parts), tuple(missing))


def _own_server(setup: Setup) -> tuple[Code, ...]:
    """As a server of this kind is started; how this one was is not told."""
    kind = KINDS.get(str(setup.options.get("server", "")))
    if kind is None or not kind.launches:
        return ()
    served = str(setup.options.get("served_model", "")) or "MODEL"
    command = kind.launches[0].command.replace("MODEL", shlex.quote(served))
    return (Code(kind.title, command, ("How this server was started is not told.",)),)
