"""A setup of the local backend as code for transformers."""

from __future__ import annotations

from app.bench.take_away.code import Code, draft_model, model_source
from backends.setup import Setup

_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
_ATTENTION = {"sdpa": "sdpa", "eager": "eager", "flash": "flash_attention_2"}
_LOOKUP_GUESSES = 10
_FIRST_GUESSES, _LEAST_CONFIDENCE = 20, 0.6  # those of this app where guesses follow success


def transformers_code(setup: Setup, max_new_tokens: int) -> Code:
    """A whole program that loads the model as the setup does and answers one prompt."""
    source, note = model_source(setup)
    is_gptq = setup.weights.startswith("gptq")
    is_quantized = setup.weights not in _DTYPES
    names = ["AutoModelForCausalLM", "AutoTokenizer", *_imports(setup)]
    lines = ["import os", ""] if is_gptq or setup.threads is None else []
    lines += ["import torch", f"from transformers import {', '.join(sorted(names))}", ""]
    if is_gptq:
        lines += ['os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")  # for two cores or fewer']
    lines += [
        f"MODEL = {source!r}",
        f"DEVICE = {_device(setup)}",
        f"torch.set_num_threads({setup.threads or 'max(1, (os.cpu_count() or 2) - 1)'})",
        "",
        f"tokenizer = AutoTokenizer.from_pretrained(MODEL{_revision(setup)})",
        "model = AutoModelForCausalLM.from_pretrained(",
        f"    MODEL{_revision(setup)},",
        f"    dtype=torch.{_DTYPES.get(setup.weights, 'bfloat16')},",
        f"    attn_implementation={_ATTENTION[setup.attention]!r},",
        *_quantization(setup),
        *(["    device_map={'': DEVICE},"] if is_quantized else []),
        ")",
        "model.eval()" if is_quantized else "model.to(DEVICE).eval()",
    ]
    if setup.speculation == "draft":
        lines += _draft(setup)
    lines += [
        "",
        'messages = [{"role": "user", "content": "What is prefill?"}]',
        "text = tokenizer.apply_chat_template(messages, tokenize=False, "
        "add_generation_prompt=True)",
        'inputs = tokenizer(text, add_special_tokens=False, return_tensors="pt").to(model.device)',
        'prompt_tokens = inputs["input_ids"].shape[1]',
        f"max_new_tokens = {max_new_tokens}",
        *_cache(setup),
        "output = model.generate(",
        '    input_ids=inputs["input_ids"],',
        '    attention_mask=inputs["attention_mask"],',
        "    max_new_tokens=max_new_tokens,",
        "    do_sample=False,",
        *_generation(setup),
        ")",
        "print(tokenizer.decode(output[0, prompt_tokens:], skip_special_tokens=True))",
    ]
    missing = [note] if note else []
    return Code("transformers", "\n".join(lines) + "\n", (*missing, *_missing(setup)))


def _imports(setup: Setup) -> list[str]:
    caches = {"dynamic": "DynamicCache", "sliding": "DynamicCache", "static": "StaticCache"}
    names = {caches.get(setup.kv_cache, ""), "BitsAndBytesConfig" if _by_bits(setup) else ""}
    names.add("QuantizedCache" if setup.kv_cache == "quantized" else "")
    names.add("CompileConfig" if setup.compile else "")
    return sorted(names - {""})


def _by_bits(setup: Setup) -> bool:
    return setup.weights in ("int8", "nf4")


def _device(setup: Setup) -> str:
    if setup.device == "auto":
        return "'cuda' if torch.cuda.is_available() else 'cpu'"
    return repr(setup.device)


def _revision(setup: Setup) -> str:
    return f", revision={setup.revision!r}" if setup.revision else ""


def _quantization(setup: Setup) -> list[str]:
    if setup.weights == "int8":
        threshold = float(setup.options.get("int8_threshold", 6.0))
        told = f"load_in_8bit=True, llm_int8_threshold={threshold}"
    elif setup.weights == "nf4":
        double = bool(setup.options.get("nf4_double_quant", False))
        told = (
            "load_in_4bit=True, bnb_4bit_quant_type='nf4', "
            f"bnb_4bit_compute_dtype=torch.bfloat16, bnb_4bit_use_double_quant={double}"
        )
    else:
        return []
    return [f"    quantization_config=BitsAndBytesConfig({told}),"]


def _draft(setup: Setup) -> list[str]:
    guesses, schedule, confidence = _FIRST_GUESSES, "heuristic_transient", _LEAST_CONFIDENCE
    if setup.draft_tokens is not None:
        guesses, schedule, confidence = setup.draft_tokens, "constant", 0.0
    return [
        f"draft = AutoModelForCausalLM.from_pretrained({draft_model(setup)!r}, dtype=model.dtype)",
        "draft.to(DEVICE).eval()",
        f"draft.generation_config.num_assistant_tokens = {guesses}",
        f"draft.generation_config.num_assistant_tokens_schedule = {schedule!r}",
        f"draft.generation_config.assistant_confidence_threshold = {confidence}",
    ]


def _cache(setup: Setup) -> list[str]:
    """The cache as this app makes it: given, so that no default of the library's is taken."""
    match setup.kv_cache:
        case "off":
            return []
        case "static":
            return [
                "room = prompt_tokens + max_new_tokens",
                "cache = StaticCache(config=model.config, max_cache_len=room)",
            ]
        case "quantized":
            return [
                "head = getattr(model.config, 'head_dim', None) or (",
                "    model.config.hidden_size // model.config.num_attention_heads",
                ")",
                "group = next(g for g in (64, 32, 16, 8, 4, 2, 1) if (head // 2) % g == 0)",
                "cache = QuantizedCache(",
                "    'hqq', model.config, nbits=4, axis_key=1, axis_value=1, q_group_size=group",
                ")",
            ]
        case "sliding":
            return ["cache = DynamicCache(config=model.config)"]
    return ["cache = DynamicCache()"]


def _generation(setup: Setup) -> list[str]:
    told = ["use_cache=False"] if setup.kv_cache == "off" else ["past_key_values=cache"]
    told.append(f"disable_compile={not setup.compile}")
    if setup.compile:
        told.append("compile_config=CompileConfig()")
    if setup.prefill_chunk is not None:
        told.append(f"prefill_chunk_size={setup.prefill_chunk}")
    if setup.speculation == "draft":
        told.append("assistant_model=draft")
    if setup.speculation == "lookup":
        told.append(f"prompt_lookup_num_tokens={setup.draft_tokens or _LOOKUP_GUESSES}")
    return [f"    {one}," for one in told]


def _missing(setup: Setup) -> list[str]:
    missing = []
    if setup.reuse_prefix:
        missing.append(
            "Reuse of the prefix: keep the cache from one call to the next, cropped to "
            "the tokens that are the same."
        )
    if setup.history == "none":
        missing.append("Without history: send the last prompt alone.")
    if setup.speculation == "draft":
        missing.append(
            "This app guesses in a leaner loop than the library’s, so its guesses take "
            "less time; a draft with another vocabulary also needs both tokenizers."
        )
    if setup.compile:
        missing.append(
            "On a CPU transformers compiles only where "
            "`compile_config._compile_all_devices = True` is set, too."
        )
    return missing
