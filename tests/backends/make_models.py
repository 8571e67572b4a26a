"""Random Llamas and Mistrals, written without torch: it stays out of the tests' own process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

TEMPLATE = (
    "{% for message in messages %}[{{ message['role'] }}]{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
_HEADS, _KV_HEADS = 4, 2


def make_model(
    folder: Path,
    *,
    hidden: int = 32,
    layers: int = 2,
    window: int = 256,
    sliding_window: int | None = None,
    family: str = "Llama",
    rope: dict[str, object] | None = None,
) -> Path:
    """A checkpoint with one token a byte, and one to end an answer; a Mistral where its layers
    see a window, a Qwen2 or a Qwen3 where `family` says so. Returns its folder."""
    folder.mkdir(parents=True)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<end>": 0} | {letter: index for index, letter in enumerate(letters, 1)}
    _write_tokenizer(folder, vocabulary)
    config = {
        "architectures": [f"{family}ForCausalLM"],
        "model_type": family.lower(),
        "head_dim": hidden // _HEADS,
        "hidden_size": hidden,
        "intermediate_size": 4 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": _HEADS,
        "num_key_value_heads": _KV_HEADS,
        "vocab_size": len(vocabulary),
        "max_position_embeddings": window,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": 0,
    }
    if rope is not None:
        config["rope_parameters"] = rope
    if sliding_window is not None:
        config |= {
            "architectures": ["MistralForCausalLM"],
            "model_type": "mistral",
            "sliding_window": sliding_window,
        }
    (folder / "config.json").write_text(json.dumps(config))
    weights = _weights(hidden, layers, len(vocabulary)) | _more_weights(family, hidden, layers)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def _write_tokenizer(folder: Path, vocabulary: dict[str, int]) -> None:
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<end>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<end>",
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def _weights(hidden: int, layers: int, words: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return random.normal(0, 0.2, (rows, columns)).astype(np.float32)

    kv_width = hidden * _KV_HEADS // _HEADS
    tensors = {
        "model.embed_tokens.weight": matrix(words, hidden),
        "model.norm.weight": np.ones(hidden, np.float32),
        "lm_head.weight": matrix(words, hidden),
    }
    for index in range(layers):
        at = f"model.layers.{index}"
        tensors |= {
            f"{at}.input_layernorm.weight": np.ones(hidden, np.float32),
            f"{at}.post_attention_layernorm.weight": np.ones(hidden, np.float32),
            f"{at}.self_attn.q_proj.weight": matrix(hidden, hidden),
            f"{at}.self_attn.k_proj.weight": matrix(kv_width, hidden),
            f"{at}.self_attn.v_proj.weight": matrix(kv_width, hidden),
            f"{at}.self_attn.o_proj.weight": matrix(hidden, hidden),
            f"{at}.mlp.gate_proj.weight": matrix(4 * hidden, hidden),
            f"{at}.mlp.up_proj.weight": matrix(4 * hidden, hidden),
            f"{at}.mlp.down_proj.weight": matrix(hidden, 4 * hidden),
        }
    return tensors


def _more_weights(family: str, hidden: int, layers: int) -> dict[str, np.ndarray]:
    """What a Qwen has beside a Llama's: biases, or norms of a head's queries and keys."""
    random = np.random.default_rng(1)
    head, kv_width = hidden // _HEADS, hidden * _KV_HEADS // _HEADS
    sizes = {
        "Qwen2": {"q_proj.bias": hidden, "k_proj.bias": kv_width, "v_proj.bias": kv_width},
        "Qwen3": {"q_norm.weight": head, "k_norm.weight": head},
    }
    return {
        f"model.layers.{index}.self_attn.{name}": random.normal(1, 0.2, size).astype(np.float32)
        for index in range(layers)
        for name, size in sizes.get(family, {}).items()
    }


def drop_tensors(path: Path, ending: str) -> None:
    """Take the tensors whose names end so out of a safetensors file: 8 bytes of length, a header in
    JSON, the numbers. By hand, since numpy knows no bf16."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    kept, numbers = {"__metadata__": header.pop("__metadata__", {})}, b""
    for name, tensor in header.items():
        if name.endswith(ending):
            continue
        first, last = tensor["data_offsets"]
        piece = data[start + first : start + last]
        kept[name] = tensor | {"data_offsets": [len(numbers), len(numbers) + len(piece)]}
        numbers += piece
    told = json.dumps(kept).encode()
    path.write_bytes(len(told).to_bytes(8, "little") + told + numbers)
