"""The local backend: what it offers, what it refuses, and how it opens an engine. No torch."""

from __future__ import annotations

from pathlib import Path

from backends.capabilities import Availability, Capabilities, Choice, Toggle, check_toggles
from backends.catalog import resolve
from backends.engine import CancelToken, OnProgress
from backends.errors import DynoError
from backends.host.shared import shared_host
from backends.local.devices import (
    available_devices,
    cuda_names,
    default_threads,
    has_mps,
    resolve_device,
    usable_cores,
)
from backends.local.engine import LocalEngine
from backends.local.messages import Load
from backends.local.weight_files import checkpoint_bytes
from backends.settings import get_settings, hub_token
from backends.setup import Setup

_BYTES_PER_WEIGHT = {"fp32": 4, "bf16": 2, "fp16": 2}


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
                    "The type the weights are held and computed in.",
                    (
                        Choice("fp32", "fp32", "4 bytes a weight, the reference"),
                        Choice("bf16", "bf16", "2 bytes a weight, the range of fp32"),
                        Choice("fp16", "fp16", "2 bytes a weight, more digits, less range"),
                    ),
                ),
                Toggle(
                    "kv_cache",
                    "KV cache",
                    "cache",
                    "Keys and values of earlier tokens are kept, or computed again for each token.",
                    (
                        Choice("dynamic", "on (grows)", "one new column of keys a token"),
                        Choice("off", "off", "the whole text is computed again for each token"),
                    ),
                ),
                Toggle(
                    "history",
                    "History",
                    "decoding",
                    "What of the conversation is sent with each prompt.",
                    (
                        Choice("full", "full (stateful)", "all turns so far"),
                        Choice("none", "none (stateless)", "the last prompt alone"),
                    ),
                ),
                Toggle(
                    "device",
                    "Device",
                    "device",
                    "Where the model runs. Nothing falls back silently.",
                    self._devices(),
                ),
                Toggle(
                    "threads",
                    "CPU threads",
                    "device",
                    f"Empty: {default_threads()} on this machine (one core is left to the app).",
                    minimum=1,
                    maximum=usable_cores(),
                ),
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
        if not verdict.ok:
            return verdict
        try:
            resolve(setup.model)
            resolve_device(setup.device)
        except DynoError as error:
            return Availability(False, error.message, error.remedy)
        return Availability(True)

    def device_of(self, setup: Setup) -> str:
        return resolve_device(setup.device)

    def memory_needed_bytes(self, setup: Setup) -> int | None:
        folder = Path(resolve(setup.model))
        if not folder.is_dir():
            return None
        return checkpoint_bytes(folder, _BYTES_PER_WEIGHT[setup.weights])

    def open(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> LocalEngine:
        token = hub_token()
        budget_gb = get_settings().memory_budget_gb
        order = Load(
            setup=setup,
            source=resolve(setup.model),
            device=resolve_device(setup.device),
            threads=setup.threads or default_threads(),
            budget_bytes=int(budget_gb * 1e9) if budget_gb is not None else None,
            token=token.get_secret_value() if token else None,
        )
        return LocalEngine.open(shared_host(), order, on_progress, cancel)
