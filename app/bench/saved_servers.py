"""Servers that the user saved under a name: address, kind, model and tokenizer, never a key.

Kept in the data folder; read anew each time, since it is small and another process may write it.
"""

from __future__ import annotations

import json

from pydantic import TypeAdapter, ValidationError

from app.bench.data_folder import SERVERS_FILE
from backends.errors import InvalidRequest, NotRecorded
from backends.settings import Settings
from backends.whole_files import set_aside, write_atomically

Options = dict[str, str]
_SERVERS = TypeAdapter(dict[str, Options])
_MOST_CHARS = 40
_MOST = 50


class SavedServers:
    """By name, in the order of the alphabet."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.data_dir / SERVERS_FILE

    def all(self) -> dict[str, Options]:
        """Empty where there is no file, or one that cannot be read."""
        kept = self._read() or {}
        return dict(sorted(kept.items(), key=lambda item: item[0].casefold()))

    def _read(self) -> dict[str, Options] | None:
        """None for a file that cannot be read."""
        try:
            return _SERVERS.validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError):
            return None

    def save(self, name: str, options: Options) -> str:
        """Keep `options` under the name, in place of what was there. Returns the name as kept.

        Raises `InvalidRequest` for a name that is none, `NotRecorded` where it could not be kept.
        """
        name = " ".join(name.split())
        if not name:
            raise InvalidRequest("The server has no name.", "Type one to save it under.")
        if len(name) > _MOST_CHARS:
            raise InvalidRequest(f"A name has at most {_MOST_CHARS} characters.", "Shorten it.")
        kept = self.all()
        if name not in kept and len(kept) >= _MOST:
            raise InvalidRequest(f"{_MOST} servers are saved.", "Forget one first.")
        self._write(kept | {name: options})
        return name

    def forget(self, name: str) -> Options | None:
        """Remove it and return what it was, so that it can be brought back."""
        kept = self.all()
        gone = kept.pop(name, None)
        if gone is not None:
            self._write(kept)
        return gone

    def _write(self, servers: dict[str, Options]) -> None:
        try:
            if self._read() is None:
                set_aside(self._file)
            write_atomically(self._file, json.dumps(servers, indent=1, sort_keys=True) + "\n")
        except OSError as error:
            raise NotRecorded(
                f"The saved servers were not changed: {error.strerror or error}.",
                f"Make {self._file.parent} writable with free space and try again.",
            ) from error
