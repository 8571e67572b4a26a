"""Keys of servers: typed by the user, kept in this process's memory, and nowhere else."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from backends.setup import Setup


@runtime_checkable
class TakesKey(Protocol):
    """A backend whose setups may need a key. It is no part of the setup: setups are shown, stored
    and linked to."""

    def has_key(self, setup: Setup) -> bool: ...

    def keep_key(self, setup: Setup, key: str) -> None:
        """Use this key from now on wherever this setup's server is asked; an empty one forgets."""
        ...


class Keys:
    """One key a server."""

    def __init__(self) -> None:
        self._keys: dict[str, SecretStr] = {}

    def of(self, server: str) -> SecretStr | None:
        return self._keys.get(server)

    def keep(self, server: str, key: str) -> None:
        if key.strip():
            self._keys[server] = SecretStr(key.strip())
        else:
            self._keys.pop(server, None)
