"""Keys of servers: typed by the user, kept in this process's memory, and nowhere else."""

from __future__ import annotations

import json
from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from backends.errors import DynoError
from backends.setup import Setup

_BLOTTED = "[the key]"
_A_KEY_CHARS = 4
_SURELY_A_SECRET_CHARS = 16


@runtime_checkable
class TakesKey(Protocol):
    """A backend whose setups may need a key. It is no part of the setup: setups are shown, stored
    and linked to. `key_example`: what to type, for an empty field."""

    key_example: str

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


def without_key(text: str, key: SecretStr | None) -> str:
    """What a server sent, with its key blotted out where it sends that back. A short one is left:
    it is a word such as EMPTY, which servers without keys are given, and answers may hold it. A key
    that comes in pieces, letter by letter in an answer, is not recognised."""
    return _blot(text, key, _SURELY_A_SECRET_CHARS)


def told_without_key(error: DynoError, key: SecretStr | None) -> DynoError:
    """The error, now in words that do not hold the key, also where it is short."""
    for name in ("message", "remedy", "detail"):
        setattr(error, name, _blot(getattr(error, name), key, _A_KEY_CHARS))
    error.args = (error.message,)
    return error


def _blot(text: str, key: SecretStr | None, shortest: int) -> str:
    secret = key.get_secret_value() if key else ""
    if len(secret) < shortest:
        return text
    for form in (secret, json.dumps(secret)[1:-1]):
        if form in text:
            text = text.replace(form, _BLOTTED)
    return text


def can_be_sent(key: SecretStr) -> bool:
    """Whether it consists of what a header may hold. The libraries below repeat what may not."""
    secret = key.get_secret_value()
    return secret.isascii() and secret.isprintable()
