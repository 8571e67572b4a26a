"""Servers that tell which models they have."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from backends.setup import Setup


@runtime_checkable
class ListsModels(Protocol):
    """A backend whose setups name a server, and may name one of its models under
    `model_option`."""

    model_option: str

    def models(self, setup: Setup) -> tuple[str, ...]:
        """Ids of the models that the setup's server lists now. Raises a `DynoError`."""
        ...
