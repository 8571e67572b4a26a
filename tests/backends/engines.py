"""Engines of the bundled model by their toggles, opened once each for a file of tests."""

from __future__ import annotations

from backends.engine import CancelToken
from backends.local.backend import LocalBackend
from backends.setup import Setup
from backends.worker.engine import LocalEngine


class Engines:
    """Called with toggles it gives their engine, which `close` closes with all others."""

    def __init__(self) -> None:
        self._backend = LocalBackend()
        self._open: dict[str, LocalEngine] = {}

    def setup(self, **toggles: object) -> Setup:
        return Setup.model_validate({"device": "cpu", "threads": 1} | toggles)

    def __call__(self, **toggles: object) -> LocalEngine:
        setup = self.setup(**toggles)
        if setup.id not in self._open:
            self._open[setup.id] = self._backend.open(setup, lambda told: None, CancelToken())
        return self._open[setup.id]

    def close(self) -> None:
        for engine in self._open.values():
            engine.close()
