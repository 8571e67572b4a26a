"""The llamacpp backend: what it offers, what it refuses, and how it opens an engine."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from backends.capabilities import (
    HISTORY,
    Availability,
    Capabilities,
    Choice,
    Toggle,
    check_toggles,
)
from backends.catalog import catalog, is_gguf, resolve
from backends.engine import CancelToken, OnProgress
from backends.errors import DynoError, InvalidSetup, MissingDependency
from backends.host.shared import shared_host
from backends.llamacpp.checkpoints import check_cache, check_widths, family_of
from backends.llamacpp.formats import AS_STORED, FORMATS
from backends.llamacpp.options import (
    CACHE_TYPE,
    CONTEXT,
    DEFAULT_CONTEXT_TOKENS,
    GPU_LAYERS,
    cache_type,
    context_too_long,
)
from backends.local.devices import default_threads, has_mps
from backends.local.formats import Format, catalog_bytes
from backends.local.weight_files import checkpoint_bytes, configuration
from backends.settings import get_settings, hub_token
from backends.setup import Setup
from backends.worker.drafts import draft_source
from backends.worker.engine import LocalEngine
from backends.worker.messages import Load
from backends.worker.toggles import DRAFT_TOKENS, REUSE_PREFIX, SPECULATION, threads

WORKER_ENTRY = "backends.llamacpp.worker.serve:serve"
INSTALL = "pip install -r requirements-llamacpp.txt"
_LIBRARIES = {"llama_cpp": "llama-cpp-python", "gguf": "gguf"}
_GPU_LIBRARIES = ("*ggml-cuda*", "*ggml-metal*", "*ggml-vulkan*", "*ggml-hip*", "*ggml-sycl*")


class LlamaCppBackend:
    """GGUF models by llama.cpp in worker processes on this machine."""

    id = "llamacpp"
    title = "This machine (llama.cpp)"

    def capabilities(self) -> Capabilities:
        missing = _missing()
        return Capabilities(
            (
                Toggle(
                    "weights",
                    "Weights",
                    "weights",
                    "The type the matrices are held in; vectors stay fp32. A checkpoint is written "
                    "as a GGUF file of this type on first use and kept in the data folder; of a "
                    "Hub repository with GGUF files the one of this type is fetched.",
                    (
                        Choice("fp32", "F32", "4 bytes a weight", missing),
                        Choice("bf16", "BF16", "2 bytes a weight, the range of fp32", missing),
                        Choice("fp16", "F16", "2 bytes a weight, more digits", missing),
                        Choice("q8_0", "Q8_0", "8 bits in blocks of 32", missing),
                        Choice("q4_0", "Q4_0", "4 bits in blocks of 32", missing),
                        Choice(
                            "q4_k_m",
                            "Q4_K_M",
                            "4 bits in blocks of 256 with scales of their own, some matrices 6",
                            missing,
                        ),
                        Choice(AS_STORED, "as in the file", "whatever a GGUF file holds", missing),
                    ),
                ),
                Toggle(
                    CACHE_TYPE,
                    "KV cache type",
                    "cache",
                    "What keys and values are held in. The cache is allocated whole at the start.",
                    (
                        Choice("kv-f16", "f16", "2 bytes a number"),
                        Choice("kv-q8_0", "q8_0", "8 bits in blocks of 32"),
                        Choice("kv-q4_0", "q4_0", "4 bits in blocks of 32"),
                    ),
                    is_option=True,
                ),
                Toggle(
                    CONTEXT,
                    "Context",
                    "cache",
                    "Tokens that the KV cache has room for: prompt and answer together. Empty: the "
                    f"model's window, {DEFAULT_CONTEXT_TOKENS:,} at most.",
                    minimum=256,
                    maximum=1_048_576,
                    is_option=True,
                ),
                REUSE_PREFIX,
                SPECULATION,
                Toggle(
                    "draft_model",
                    "Draft model",
                    "speculation",
                    "A Hub id, a folder or a GGUF file, of the same vocabulary. Empty: the one "
                    "that the catalog has for the model. It is in F16 where the model has fewer "
                    "bits.",
                    is_text=True,
                    only_with=("speculation", ("draft",)),
                ),
                DRAFT_TOKENS,
                HISTORY,
                Toggle(
                    GPU_LAYERS,
                    "GPU layers",
                    "device",
                    "How many layers lie on the GPU. Empty: none, all is computed by the CPU.",
                    minimum=0,
                    maximum=1_000,
                    is_option=True,
                ),
                threads(),
            )
        )

    def check(self, setup: Setup) -> Availability:
        """Library, toggles and the model's name and configuration, as far as it is here."""
        if missing := _missing():
            return Availability(False, missing, f"{INSTALL} (it is built here: some minutes).")
        verdict = check_toggles(setup, self.capabilities())
        if not verdict.ok:
            return verdict
        try:
            _check_gpu(setup)
            _check_model(setup, resolve(setup.model))
            draft_source(setup)
        except DynoError as error:
            return Availability(False, error.message, error.remedy)
        return Availability(True)

    def device_of(self, setup: Setup) -> str:
        if not setup.options.get(GPU_LAYERS):
            return "cpu"
        return "mps" if has_mps() else "cuda:0"

    def memory_needed_bytes(self, setup: Setup) -> int | None:
        source = resolve(setup.model)
        if is_gguf(source):
            return Path(source).stat().st_size
        if setup.weights == AS_STORED:
            return None
        wanted = FORMATS[setup.weights]
        bytes_ = Format(wanted.matrix_bytes, 4 if setup.weights == "fp32" else 2)
        if Path(source).is_dir():
            return checkpoint_bytes(Path(source), bytes_)
        entry = catalog().get(setup.model)
        return None if entry is None else catalog_bytes(entry, bytes_)

    def open(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> LocalEngine:
        if missing := _missing():
            raise MissingDependency(missing, INSTALL)
        token = hub_token()
        budget_gb = get_settings().memory_budget_gb
        order = Load(
            setup=setup,
            source=resolve(setup.model),
            device=self.device_of(setup),
            threads=setup.threads or default_threads(),
            budget_bytes=int(budget_gb * 1e9) if budget_gb is not None else None,
            token=token.get_secret_value() if token else None,
            draft_source=draft_source(setup),
            kept_in=str(get_settings().data_dir / "conversions"),
        )
        return LocalEngine.open(shared_host(), WORKER_ENTRY, order, on_progress, cancel)


def _missing() -> str:
    """Why nothing can run; empty if it can."""
    missing = [name for module, name in _LIBRARIES.items() if find_spec(module) is None]
    return f"{' and '.join(missing)} is not installed: {INSTALL}." if missing else ""


@cache
def _has_gpu_support() -> bool:
    """Whether llama.cpp was built with a GPU's code, told by the libraries that lie beside it."""
    found = find_spec("llama_cpp")
    folders = found.submodule_search_locations if found is not None else None
    return any(
        next(Path(folder).rglob(pattern), None) is not None
        for folder in folders or ()
        for pattern in _GPU_LIBRARIES
    )


def _check_gpu(setup: Setup) -> None:
    if setup.options.get(GPU_LAYERS) and not _has_gpu_support():
        raise InvalidSetup(
            "llama.cpp was built here without support for a GPU.",
            'Leave GPU layers empty, or build it anew: CMAKE_ARGS="-DGGML_CUDA=on" pip install '
            "--force-reinstall --no-cache-dir llama-cpp-python.",
        )


def _check_model(setup: Setup, source: str) -> None:
    """Refuse, as far as the files here tell, what cannot be opened or written."""
    if is_gguf(source):
        if setup.weights != AS_STORED:
            raise InvalidSetup(
                "The weights of a GGUF file are what they are.", "Choose weights as in the file."
            )
        return
    entry = catalog().get(setup.model)
    folder = Path(source)
    if setup.weights == AS_STORED and (entry is not None or folder.is_dir()):
        raise InvalidSetup(
            "This model is a checkpoint, whose weights are converted.",
            "Choose another format, or give the path of a GGUF file.",
        )
    if folder.is_dir():
        config = configuration(folder)
        family_of(config)
        check_cache(config, cache_type(setup))
        window, tokens = config.get("max_position_embeddings"), setup.options.get(CONTEXT)
        if isinstance(window, int) and isinstance(tokens, int) and tokens > window:
            raise context_too_long(window)
        if setup.weights != AS_STORED:
            check_widths(config, setup.weights)
