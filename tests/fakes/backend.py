"""The fake backend: opens engines that follow a `Script`, one for each model's name."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from backends.capabilities import (
    Availability,
    Capabilities,
    Choice,
    Reading,
    Toggle,
    check_toggles,
)
from backends.engine import CancelToken, OnProgress, Progress
from backends.errors import Cancelled, DynoError
from backends.setup import Setup
from tests.fakes.clock import FakeClock
from tests.fakes.engine import BYTES_PER_WEIGHT, PARAMETERS, FakeEngine, FakeScorer, Script

DEVICE = "fake-device"


@dataclass(slots=True)
class Opening:
    """How opening a model goes: it fails with `error`, or waits until `gate` is set."""

    error: DynoError | None = None
    gate: threading.Event | None = None


class FakeBackend:
    """Offers the local backend's toggles. `scripts` and `openings` are by model name."""

    id = "fake"
    title = "No model at all"

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.scripts: dict[str, Script] = {}
        self.openings: dict[str, Opening] = {}
        self.bytes_needed: dict[str, int] = {}
        self.device: str | None = DEVICE
        self.engines: list[FakeEngine] = []
        self.opened: list[Setup] = []

    def capabilities(self) -> Capabilities:
        return Capabilities(
            (
                Toggle(
                    "weights",
                    "Weights",
                    "weights",
                    choices=tuple(
                        Choice(name, name, reading=Reading("Made of", f"Text of {name}".strip))
                        for name in BYTES_PER_WEIGHT
                    ),
                ),
                Toggle(
                    "kv_cache",
                    "KV cache",
                    "cache",
                    choices=(Choice("dynamic", "on"), Choice("off", "off")),
                ),
                Toggle(
                    "history",
                    "History",
                    "decoding",
                    choices=(Choice("full", "full"), Choice("none", "none")),
                ),
                Toggle(
                    "device",
                    "Device",
                    "device",
                    choices=(
                        Choice("auto", "auto"),
                        Choice("cpu", "cpu"),
                        Choice("cuda", "cuda", why_not="A fake has no GPU."),
                    ),
                ),
                Toggle("threads", "CPU threads", "device", minimum=1, maximum=64),
            )
        )

    def check(self, setup: Setup) -> Availability:
        return check_toggles(setup, self.capabilities())

    def device_of(self, setup: Setup) -> str | None:
        return self.device

    def memory_needed_bytes(self, setup: Setup) -> int | None:
        return self.bytes_needed.get(setup.model, PARAMETERS * BYTES_PER_WEIGHT[setup.weights])

    def open(self, setup: Setup, on_progress: OnProgress, cancel: CancelToken) -> FakeEngine:
        self.opened.append(setup)
        on_progress(Progress("Loading", 0.5))
        opening = self.openings.get(setup.model, Opening())
        while opening.gate is not None and not opening.gate.wait(0.002):
            if cancel.is_cancelled:
                break
        if cancel.is_cancelled:
            raise Cancelled("Loading was stopped.")
        if opening.error is not None:
            raise opening.error
        script = self.scripts.get(setup.model, Script())
        kind = FakeEngine if script.blur is None else FakeScorer
        engine = kind(setup, script, self.clock, weights_bytes=self.bytes_needed.get(setup.model))
        self.engines.append(engine)
        return engine

    def release_all(self) -> None:
        """Let go of everything that waits, so that no thread outlives its test."""
        for opening in self.openings.values():
            if opening.gate is not None:
                opening.gate.set()
        for script in self.scripts.values():
            if script.gate is not None:
                script.gate.set()
