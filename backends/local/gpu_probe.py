"""What a CUDA GPU delivers on a model of a 7B's shape: `python backends/local/gpu_probe.py`.

One file that needs nothing but torch and transformers (5.17 or later): it can be copied to a
machine with a GPU and run there. The weights are random and made on the GPU; speed and memory are
those of the shape. Prints a table, and on the last line a JSON object.

MBU (model bandwidth utilization) is what must be read for each token, weights and KV cache, times
tokens per second, over the read bandwidth that a copy on this GPU shows.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

EXIT_DONE, EXIT_NO_GPU = 0, 2
# Qwen2.5-7B's published configuration.
SHAPE = {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
    "max_position_embeddings": 32768,
    "rope_theta": 1_000_000.0,
    "tie_word_embeddings": False,
}
_COPY_BYTES = 4 * 1024**3
_REPEATS = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=SHAPE["num_hidden_layers"])
    parser.add_argument("--prompt", type=int, default=512, help="tokens of the prompt")
    parser.add_argument("--tokens", type=int, default=128, help="tokens of the answer")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        return _nothing("torch is not installed")
    if not torch.cuda.is_available():
        return _nothing("torch sees no CUDA GPU here")
    return measure(arguments.layers, arguments.prompt, arguments.tokens)


def _nothing(reason: str) -> int:
    print(f"Nothing was measured: {reason}.")
    print(json.dumps({"measured": False, "reason": reason}))
    return EXIT_NO_GPU


def measure(layers: int, prompt_tokens: int, new_tokens: int) -> int:
    """Bandwidth, then each way of decoding, the plain one first."""
    import torch
    import transformers

    device = torch.device("cuda:0")
    read_bytes_per_s = copy_bandwidth(device)
    model = build(layers, device)
    weights_bytes = sum(p.numel() * p.element_size() for p in model.parameters())
    embedding_bytes = _embedding_bytes(model)
    rows = []
    for name, way in ways().items():
        try:
            row = run(name, way, model, prompt_tokens, new_tokens)
        except Exception as error:  # one way that fails must not hide the others
            rows.append({"way": name, "error": f"{type(error).__name__}: {str(error)[:200]}"})
            continue
        # One row of the input embedding is read for a token, not the whole table.
        read_bytes = weights_bytes - embedding_bytes + row["kv_cache_bytes"]
        row["mbu"] = read_bytes * row["decode_tokens_per_s"] / read_bytes_per_s
        rows.append(row)
    result = {
        "measured": True,
        "gpu": torch.cuda.get_device_name(device),
        "memory_bytes": torch.cuda.get_device_properties(device).total_memory,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "layers": layers,
        "prompt_tokens": prompt_tokens,
        "new_tokens": new_tokens,
        "weights_bytes": weights_bytes,
        "read_bandwidth_bytes_per_s": read_bytes_per_s,
        "rows": rows,
        "verdict": verdict(rows),
    }
    show(result)
    print(json.dumps(result))
    return EXIT_DONE


def copy_bandwidth(device: Any) -> float:
    """Bytes that a copy on the device moves a second, read and written together: what the memory
    can deliver to a reader alone."""
    import torch

    source = torch.empty(_COPY_BYTES // 2, dtype=torch.float16, device=device)
    target = torch.empty_like(source)
    seconds = _seconds(lambda: target.copy_(source))
    return float(2 * _COPY_BYTES / seconds)


def build(layers: int, device: Any) -> Any:
    """A model of the shape with random bf16 weights, made on the GPU."""
    import torch
    from transformers import AutoModelForCausalLM, Qwen2Config

    torch.cuda.empty_cache()  # the copy's buffers
    shape: dict[str, Any] = SHAPE | {"num_hidden_layers": layers}
    config = Qwen2Config(**shape)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    return model.eval()


def _embedding_bytes(model: Any) -> int:
    table = model.get_input_embeddings().weight
    return int(table.numel() * table.element_size())


def ways() -> dict[str, dict[str, Any]]:
    """How to decode: what `generate` is told. Compiling happens by itself with a static cache."""
    return {
        "eager, growing cache": {"cache": "dynamic", "disable_compile": True},
        "eager, static cache": {"cache": "static", "disable_compile": True},
        "static cache + compile": {"cache": "static", "disable_compile": False},
    }


def run(
    name: str, way: dict[str, Any], model: Any, prompt_tokens: int, new_tokens: int
) -> dict[str, Any]:
    """TTFT and decode speed of one way, the median of some repeats after two warm-ups."""
    import torch
    from transformers import DynamicCache, GenerationConfig, StaticCache

    device = model.device
    generator = torch.Generator(device=device).manual_seed(0)
    ids = torch.randint(
        0, SHAPE["vocab_size"], (1, prompt_tokens), device=device, generator=generator
    )
    room = prompt_tokens + new_tokens

    def generate(tokens: int) -> tuple[float, Any]:
        cache = (
            StaticCache(config=model.config, max_cache_len=room)
            if way["cache"] == "static"
            else DynamicCache(config=model.config)
        )
        config = GenerationConfig(
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
            disable_compile=way["disable_compile"],
        )
        torch.cuda.synchronize()
        started = time.perf_counter()
        model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            past_key_values=cache,
            generation_config=config,
        )
        torch.cuda.synchronize()
        return time.perf_counter() - started, cache

    started = time.perf_counter()
    for _ in range(2):
        generate(new_tokens)
    warm_up_seconds = time.perf_counter() - started
    gc.collect()
    torch.cuda.reset_peak_memory_stats()
    first = statistics.median(generate(1)[0] for _ in range(_REPEATS))
    whole = []
    cache = None
    for _ in range(_REPEATS):
        seconds, cache = generate(new_tokens)
        whole.append(seconds)
    per_token = (statistics.median(whole) - first) / (new_tokens - 1)
    peak = int(torch.cuda.max_memory_allocated())
    return {
        "way": name,
        "ttft_ms": first * 1e3,
        "prefill_tokens_per_s": prompt_tokens / first,
        "decode_tokens_per_s": 1 / per_token,
        "warm_up_seconds": warm_up_seconds,
        "kv_cache_bytes": _cache_bytes(cache),
        "peak_bytes": peak,
    }


def _cache_bytes(cache: Any) -> int:
    tensors = [t for layer in cache.layers for t in (layer.keys, layer.values) if t is not None]
    return int(sum(t.numel() * t.element_size() for t in tensors))


def _seconds(work: Callable[[], Any]) -> float:
    """Seconds of one call, by the GPU's own clock: the median of some after a warm-up."""
    import torch

    work()
    found: list[float] = []
    for _ in range(_REPEATS):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        found.append(begin.elapsed_time(end) / 1e3)
    return statistics.median(found)


def verdict(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Compiled decode against the bars: at least 70 % MBU, and 3 x eager where eager is below
    25 %."""
    by_way = {row["way"]: row for row in rows if "mbu" in row}
    compiled, eager = by_way.get("static cache + compile"), by_way.get("eager, growing cache")
    if compiled is None or eager is None:
        return {"holds": None, "reason": "compiled or eager decode could not be measured"}
    speedup = compiled["decode_tokens_per_s"] / eager["decode_tokens_per_s"]
    enough = compiled["mbu"] >= 0.70 and (eager["mbu"] >= 0.25 or speedup >= 3.0)
    return {"holds": enough, "compiled_mbu": compiled["mbu"], "compiled_over_eager": speedup}


def show(result: dict[str, Any]) -> None:
    print(
        f"{result['gpu']}, torch {result['torch']}, transformers {result['transformers']}; "
        f"{result['weights_bytes'] / 1e9:.2f} GB of weights, copy reads and writes "
        f"{result['read_bandwidth_bytes_per_s'] / 1e9:,.0f} GB/s"
    )
    print(
        f"{'way':26}{'TTFT ms':>10}{'prefill/s':>11}{'decode/s':>10}{'MBU':>7}"
        f"{'KV MB':>8}{'peak GB':>9}{'warm-up s':>11}"
    )
    for row in result["rows"]:
        if "error" in row:
            print(f"{row['way']:26} failed: {row['error']}")
            continue
        print(
            f"{row['way']:26}{row['ttft_ms']:>10.1f}{row['prefill_tokens_per_s']:>11,.0f}"
            f"{row['decode_tokens_per_s']:>10.1f}{row['mbu']:>7.0%}"
            f"{row['kv_cache_bytes'] / 1e6:>8.1f}{row['peak_bytes'] / 1e9:>9.2f}"
            f"{row['warm_up_seconds']:>11.1f}"
        )


if __name__ == "__main__":
    sys.exit(main())
