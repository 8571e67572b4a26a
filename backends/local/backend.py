"""The local backend: what it offers, what it refuses, and how it opens an engine. No torch."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from backends.capabilities import (
    HISTORY,
    Availability,
    Capabilities,
    Choice,
    Reading,
    Toggle,
    check_toggles,
)
from backends.catalog import catalog, is_gguf, placed, resolve
from backends.engine import CancelToken, OnProgress
from backends.errors import DynoError, InvalidSetup
from backends.host.shared import shared_host
from backends.local.calibration import CALIBRATION, calibration_text
from backends.local.combinations import (
    check_combination,
    no_window,
    window_not_quantized,
)
from backends.local.devices import (
    available_devices,
    cuda_names,
    default_threads,
    has_mps,
    resolve_device,
)
from backends.local.formats import FORMATS, GPTQ_BITS, catalog_bytes, format_of
from backends.local.weight_files import checkpoint_bytes, gptq_bits, has_sliding_window
from backends.settings import get_settings, hub_token
from backends.setup import Setup, Weights
from backends.worker.drafts import draft_source
from backends.worker.engine import LocalEngine
from backends.worker.messages import Load
from backends.worker.toggles import DRAFT_TOKENS, REUSE_PREFIX, SPECULATION, threads

WORKER_ENTRY = "backends.local.worker.serve:serve"
_CALIBRATION = Reading("What is quantized here is calibrated on", calibration_text)


class LocalBackend:
    """transformers models in worker processes on this machine."""

    id = "local"
    title = "This machine (transformers)"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            (
                Toggle(
                    "weights",
                    "Weights",
                    "weights",
                    "The type the weights are held and computed in. GPTQ weights come from a "
                    "published checkpoint where there is one; else they are quantized here, once, "
                    "calibrated on a text that is shown when they are chosen.",
                    (
                        Choice("fp32", "fp32", "4 bytes a weight, the reference"),
                        Choice("bf16", "bf16", "2 bytes a weight, the range of fp32"),
                        Choice("fp16", "fp16", "2 bytes a weight, more digits, less range"),
                        _quantized(
                            "int8", "INT8", "1 byte, outliers apart (bitsandbytes LLM.int8)"
                        ),
                        _quantized("nf4", "NF4", "4 bits in blocks of 64 (bitsandbytes)"),
                        _quantized(
                            "gptq-int4", "INT4 GPTQ", "4 bits, calibrated (GPTQModel)", _CALIBRATION
                        ),
                        _quantized(
                            "gptq-int8", "INT8 GPTQ", "8 bits, calibrated (GPTQModel)", _CALIBRATION
                        ),
                    ),
                ),
                Toggle(
                    "int8_threshold",
                    "INT8 outlier threshold",
                    "weights",
                    "Activations beyond it are multiplied in 16 bits. Empty: 6.",
                    minimum=1,
                    maximum=100,
                    is_option=True,
                    only_with=("weights", ("int8",)),
                ),
                Toggle(
                    "nf4_double_quant",
                    "NF4 double quantization",
                    "weights",
                    "The scales of the blocks are quantized too: a little smaller. On a CPU with "
                    "AVX512-BF16 the kernel unpacks them again, and nothing is saved there.",
                    is_option=True,
                    only_with=("weights", ("nf4",)),
                ),
                Toggle(
                    "kv_cache",
                    "KV cache",
                    "cache",
                    "Keys and values of earlier tokens are kept, or computed again for each token.",
                    (
                        Choice("dynamic", "on (grows)", "one new column of keys a token"),
                        Choice("static", "static", "room for the whole answer from the start"),
                        Choice(
                            "quantized",
                            "quantized",
                            "4 bits with a scale for each group, the newest tokens as they are "
                            "(HQQ)",
                            _missing("hqq"),
                        ),
                        Choice(
                            "sliding",
                            "sliding window",
                            "layers with a window forget what has left it",
                        ),
                        Choice("off", "off", "the whole text is computed again for each token"),
                    ),
                ),
                REUSE_PREFIX,
                SPECULATION,
                Toggle(
                    "draft_model",
                    "Draft model",
                    "speculation",
                    "A Hub id or a folder. Empty: the one that the catalog has for the model.",
                    is_text=True,
                    only_with=("speculation", ("draft",)),
                ),
                DRAFT_TOKENS,
                Toggle(
                    "compile",
                    "torch.compile",
                    "decoding",
                    "One decode step is compiled when the engine loads, for a static KV cache. "
                    "It takes from seconds to a minute, apart from every run.",
                    why_not=_no_compiler(),
                ),
                Toggle(
                    "attention",
                    "Attention",
                    "decoding",
                    "Which code computes attention.",
                    (
                        Choice("sdpa", "sdpa", "torch's fused kernel"),
                        Choice("eager", "eager", "plain matrix products"),
                        Choice("flash", "flash", "FlashAttention 2", _no_flash()),
                    ),
                ),
                Toggle(
                    "prefill_chunk",
                    "Prefill chunk",
                    "decoding",
                    "The prompt is computed in pieces of so many tokens. Empty: in one pass.",
                    minimum=16,
                    maximum=16_384,
                ),
                HISTORY,
                Toggle(
                    "device",
                    "Device",
                    "device",
                    "Where the model runs. Nothing falls back silently.",
                    self._devices(),
                ),
                threads(),
            )
        )

    @staticmethod
    def _devices() -> tuple[Choice, ...]:
        available = available_devices()
        choices = [Choice("auto", f"auto ({available[0]})"), Choice("cpu", "cpu")]
        if cuda_names():
            choices += [
                Choice(f"cuda:{index}", f"cuda:{index}", name)
                for index, name in enumerate(cuda_names())
            ]
        else:
            choices.append(Choice("cuda", "cuda", why_not="No CUDA GPU on this machine."))
        choices.append(
            Choice("mps", "mps", why_not="" if has_mps() else "No Apple GPU on this machine.")
        )
        return tuple(choices)

    def check(self, setup: Setup) -> Availability:
        """Toggles, device and the model's name; the checkpoint itself is looked at when loading."""
        verdict = check_toggles(setup, self.capabilities())
        if verdict.ok:
            verdict = check_combination(setup)
        if not verdict.ok:
            return verdict
        try:
            source = weights_source(setup)
            _check_gptq(setup, Path(source))
            _check_window(setup, Path(source))
            draft_source(setup)
            resolve_device(setup.device)
        except DynoError as error:
            return Availability(False, error.message, error.remedy)
        return Availability(True)

    def device_of(self, setup: Setup) -> str:
        return resolve_device(setup.device)

    def memory_needed_bytes(self, setup: Setup) -> int | None:
        folder = Path(weights_source(setup))
        if folder.is_dir():
            return checkpoint_bytes(folder, format_of(setup))
        entry = catalog().get(setup.model)
        return None if entry is None else catalog_bytes(entry, format_of(setup))

    def open(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> LocalEngine:
        token = hub_token()
        budget_gb = get_settings().memory_budget_gb
        order = Load(
            setup=setup,
            source=weights_source(setup),
            device=resolve_device(setup.device),
            threads=setup.threads or default_threads(),
            budget_bytes=int(budget_gb * 1e9) if budget_gb is not None else None,
            token=token.get_secret_value() if token else None,
            draft_source=draft_source(setup),
            calibration=str(CALIBRATION),
            kept_in=str(get_settings().data_dir / "conversions"),
        )
        return LocalEngine.open(shared_host(), WORKER_ENTRY, order, on_progress, cancel)


def _no_compiler() -> str:
    """Why nothing can be compiled here; empty if it can."""
    if cuda_names() or any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        return ""
    return "torch.compile needs a C++ compiler, and none is installed (Debian: apt install g++)."


def _no_flash() -> str:
    if find_spec("flash_attn") is None:
        return "flash-attn is not installed (it needs a CUDA GPU)."
    return "" if cuda_names() else "FlashAttention needs a CUDA GPU."


def _quantized(weights: Weights, label: str, about: str, reading: Reading | None = None) -> Choice:
    """A choice that needs a library of its own; without it, it says so."""
    library = FORMATS[weights].library
    assert library is not None
    return Choice(weights, label, about, _missing(library), reading)


def _missing(library: str) -> str:
    """Why a choice of a library that is not here cannot be taken; empty if it is."""
    if find_spec(library) is not None:
        return ""
    return f"{library} is not installed: pip install -r requirements.txt."


def weights_source(setup: Setup) -> str:
    """Folder or Hub id of the weights that the setup wants: for GPTQ the catalog's quantized ones,
    if it knows some. Raises `ModelNotFound` or `InvalidSetup`."""
    if is_gguf(setup.model) or is_gguf(setup.draft_model or ""):
        raise InvalidSetup(
            "transformers is not used for GGUF files here.",
            "Choose llama.cpp under “Runs on”, or a folder with .safetensors files.",
        )
    entry = catalog().get(setup.model)
    if entry is None or setup.weights not in GPTQ_BITS:
        return resolve(setup.model)
    quantized = entry.gptq_int4 if setup.weights == "gptq-int4" else entry.gptq_int8
    return placed(quantized or entry.target)


def _check_gptq(setup: Setup, folder: Path) -> None:
    """Refuse, as far as the files here tell, weights that the checkpoint does not have."""
    if not folder.is_dir():
        return
    stored, wanted = gptq_bits(folder), GPTQ_BITS.get(setup.weights)
    if stored is None or stored == wanted:
        return  # what is not quantized is quantized here
    raise InvalidSetup(
        f"This checkpoint is quantized already (GPTQ, {stored} bits).",
        f"Choose weights gptq-int{stored}, or the model it was made from.",
    )


def _check_window(setup: Setup, folder: Path) -> None:
    """Refuse, as far as catalog or files tell, a KV cache that the model's layers cannot have."""
    entry = catalog().get(setup.model)
    if entry is not None:
        has_window = entry.sliding_window is not None
    elif folder.is_dir():
        has_window = has_sliding_window(folder)
    else:
        return  # known when it is downloaded
    if setup.kv_cache == "sliding" and not has_window:
        raise no_window()
    if setup.kv_cache == "quantized" and has_window:
        raise window_not_quantized()
