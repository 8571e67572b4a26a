"""llama.cpp engines by their toggles, opened once each for a file of tests."""

from __future__ import annotations

from pathlib import Path

from backends.engine import CancelToken
from backends.llamacpp.backend import LlamaCppBackend
from backends.setup import Setup
from backends.worker.engine import LocalEngine


class GgufEngines:
    """Called with toggles it gives their engine, which `close` closes with all others."""

    def __init__(self) -> None:
        self._backend = LlamaCppBackend()
        self._open: dict[str, LocalEngine] = {}

    def setup(self, **toggles: object) -> Setup:
        usual = {"backend": "llamacpp", "weights": "fp16", "threads": 1}
        return Setup.model_validate(usual | toggles)

    def __call__(self, **toggles: object) -> LocalEngine:
        setup = self.setup(**toggles)
        if setup.id not in self._open:
            self._open[setup.id] = opened(setup)
        return self._open[setup.id]

    def close(self) -> None:
        for engine in self._open.values():
            engine.close()


def opened(setup: Setup) -> LocalEngine:
    return LlamaCppBackend().open(setup, lambda told: None, CancelToken())


def gguf_of(engine: LocalEngine) -> Path:
    """The file that an engine has open."""
    return Path(engine.probe("gguf_file"))
