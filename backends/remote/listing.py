"""Servers that tell which models they have, and how they are doing."""

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

    def metrics_page(self, setup: Setup) -> str:
        """Address of the server's own figures; empty where it has none."""
        ...
