"""Servers that somebody pays for, by token or by hour, and that have a machine of their own."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from backends.setup import Setup


@runtime_checkable
class Paid(Protocol):
    """A backend whose setups are answered by servers with prices of their own."""

    def charged_as(self, setup: Setup) -> str:
        """What a price is for: the server and, where the setup names it, the model."""
        ...

    def is_elsewhere(self, setup: Setup) -> bool:
        """Whether another machine does the work, so that nothing that runs here disturbs it."""
        ...
