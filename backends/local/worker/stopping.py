"""Stopping a generation: a flag seen between tokens and, by layer hooks, inside a forward pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import StoppingCriteria

from backends.worker.stop_flag import StopFlag


class Stopped(Exception):
    """Raised inside a forward pass when the flag is set."""


class StopWhenFlagged(StoppingCriteria):  # type: ignore[misc]  # transformers is not followed
    """Ends `generate` after the token in hand."""

    def __init__(self, flag: StopFlag, device: torch.device) -> None:
        self._flag = flag
        self._go_on = torch.zeros(1, dtype=torch.bool, device=device)
        self._end = torch.ones(1, dtype=torch.bool, device=device)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return self._end if self._flag.is_set else self._go_on


class LayerGuard:
    """Hooks on every decoder layer of some models that raise `Stopped`.

    A hooked module is called the slow way, so the guard is lifted (`lift`) once passes are short:
    after the prefill when a KV cache is used. Without a cache every pass is long and it stays.
    """

    def __init__(self, models: Iterable[nn.Module], flag: StopFlag) -> None:
        self._layers = [layer for model in models for layer in decoder_layers(model)]
        self._flag = flag
        self._handles: list[Any] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        self._handles = [layer.register_forward_pre_hook(self._check) for layer in self._layers]
        try:
            yield
        finally:
            self.lift()

    def lift(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _check(self, module: nn.Module, arguments: Any) -> None:
        if self._flag.is_set:
            raise Stopped


def decoder_layers(model: nn.Module) -> list[nn.Module]:
    """The longest list of like modules: a transformer's blocks, whatever they are called."""
    lists = [list(module) for module in model.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len, default=[])
