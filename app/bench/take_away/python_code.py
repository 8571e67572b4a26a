"""The Python program that is the same as a setup, by the library that the setup is run with."""

from __future__ import annotations

from app.bench.take_away.code import Code, draft_model, model_source
from app.bench.take_away.transformers_code import transformers_code
from backends.catalog import catalog, is_gguf
from backends.llamacpp.formats import FORMATS
from backends.llamacpp.options import CONTEXT, DEFAULT_CONTEXT_TOKENS, GPU_LAYERS, cache_type
from backends.setup import Setup

_GGML_TYPES = {"f16": "GGML_TYPE_F16", "q8_0": "GGML_TYPE_Q8_0", "q4_0": "GGML_TYPE_Q4_0"}


def python_code(setup: Setup, max_new_tokens: int) -> Code | None:
    """None for a backend that this does not know."""
    match setup.backend:
        case "local":
            return transformers_code(setup, max_new_tokens)
        case "llamacpp":
            return _llamacpp_code(setup, max_new_tokens)
        case "endpoint":
            return _endpoint_code(setup, max_new_tokens)
        case "serverless":
            return _serverless_code(setup, max_new_tokens)
    return None


def _llamacpp_code(setup: Setup, max_new_tokens: int) -> Code:
    name = FORMATS[setup.weights].name if setup.weights in FORMATS else ""
    missing = []
    if is_gguf(setup.model):
        opened, first = "Llama(\n    model_path=MODEL,", setup.model
    else:
        source, _ = model_source(setup)
        opened, first = "Llama(\n    model_path=MODEL,", f"{source}.{name}.gguf"
        missing.append(
            f"This app wrote the checkpoint as a GGUF file of type {name} on first use, or fetched "
            "it: put that file in MODEL (the Machine page shows the data folder)."
        )
    threads = setup.threads or "max(1, (os.cpu_count() or 2) - 1)"
    kind = _GGML_TYPES.get(cache_type(setup), "GGML_TYPE_F16")
    tokens = int(setup.options.get(CONTEXT, DEFAULT_CONTEXT_TOKENS))
    lines = [
        *(["import os", ""] if setup.threads is None else []),
        "import llama_cpp",
        "from llama_cpp import Llama",
        *(_LOOKUP_IMPORT if setup.speculation == "lookup" else []),
        "",
        f"MODEL = {first!r}",
        f"model = {opened}",
        f"    n_ctx={tokens},",
        f"    n_threads={threads},",
        f"    n_threads_batch={threads},",
        f"    n_gpu_layers={int(setup.options.get(GPU_LAYERS, 0))},",
        f"    type_k=llama_cpp.{kind},",
        f"    type_v=llama_cpp.{kind},",
        "    flash_attn=True,",
        *(_lookup(setup) if setup.speculation == "lookup" else []),
        ")",
        *_asked("model.create_chat_completion", max_new_tokens),
        'print(answer["choices"][0]["message"]["content"])',
    ]
    if setup.speculation == "draft":
        missing.append(
            f"llama-cpp-python takes no draft model; llama-server does (-md {draft_model(setup)})."
        )
    if not setup.reuse_prefix:
        missing.append("llama-cpp-python keeps a prompt’s prefix: model.reset() before each call.")
    return Code("llama.cpp", "\n".join(lines) + "\n", tuple(missing))


_LOOKUP_IMPORT = ["from llama_cpp.llama_speculative import LlamaPromptLookupDecoding"]


def _lookup(setup: Setup) -> list[str]:
    guesses = setup.draft_tokens or 10
    return [f"    draft_model=LlamaPromptLookupDecoding(num_pred_tokens={guesses}),"]


def _endpoint_code(setup: Setup, max_new_tokens: int) -> Code:
    address = str(setup.options.get("address", ""))
    served = str(setup.options.get("served_model", ""))
    missing = [] if served else ["Name the server’s model: here it was the first that it lists."]
    model = repr(served or "MODEL")
    lines = [
        "import os",
        "",
        "from huggingface_hub import InferenceClient",
        "",
        f'client = InferenceClient(base_url={address!r}, api_key=os.environ.get("API_KEY", "-"))',
        *_asked("client.chat_completion", max_new_tokens, f"model={model}"),
        "print(answer.choices[0].message.content)",
    ]
    return Code("huggingface_hub", "\n".join(lines) + "\n", tuple(missing))


def _serverless_code(setup: Setup, max_new_tokens: int) -> Code:
    entry = catalog().get(setup.model)
    hosted = setup.options.get("hosted_model") or (entry.serverless if entry else None)
    routing = str(setup.options.get("routing", "auto"))
    provider = str(setup.options.get("provider", "") or "auto")
    model = str(hosted or setup.model)
    if provider == "auto" and routing in ("cheapest", "fastest"):
        model = f"{model}:{routing}"
    lines = [
        "import os",
        "",
        "from huggingface_hub import InferenceClient",
        "",
        f'client = InferenceClient(provider={provider!r}, api_key=os.environ["HF_TOKEN"])',
        *_asked("client.chat_completion", max_new_tokens, f"model={model!r}"),
        "print(answer.choices[0].message.content)",
    ]
    return Code("huggingface_hub", "\n".join(lines) + "\n")


def _asked(call: str, max_new_tokens: int, *more: str) -> list[str]:
    return [
        f"answer = {call}(",
        '    messages=[{"role": "user", "content": "What is prefill?"}],',
        f"    max_tokens={max_new_tokens},",
        "    temperature=0,",
        *(f"    {one}," for one in more),
        ")",
    ]
