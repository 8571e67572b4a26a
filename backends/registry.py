"""Finds backends by name, built-in and plugged in, without importing any until it is asked for.

Built-in ones are lazy "module:Class" strings; plugins use the entry-point group
`llm_dyno.backends`. One broken plugin never hides the others.
"""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import cast

from backends.engine import Backend
from backends.errors import BackendUnavailable, InvalidSetup

ENTRY_POINT_GROUP = "llm_dyno.backends"
_BUILT_IN = {
    "local": "backends.local.backend:LocalBackend",
    "serverless": "backends.remote.serverless:ServerlessBackend",
    "endpoint": "backends.remote.endpoint:EndpointBackend",
    "llamacpp": "backends.llamacpp.backend:LlamaCppBackend",
}


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a backend comes from. `target` is "module:Class", `origin` names the package."""

    id: str
    target: str
    origin: str


def registrations() -> dict[str, Registration]:
    """All known backends by id; a plugin may not take the id of another."""
    found = {id_: Registration(id_, target, "built in") for id_, target in _BUILT_IN.items()}
    for entry in metadata.entry_points(group=ENTRY_POINT_GROUP):
        origin = entry.dist.name if entry.dist else entry.value
        taken = found.get(entry.name)
        if taken is not None:
            raise InvalidSetup(
                f"Two backends are called “{entry.name}”: {taken.origin} and {origin}.",
                "Uninstall one of them.",
            )
        found[entry.name] = Registration(entry.name, entry.value, origin)
    return found


@cache
def get_backend(id_: str) -> Backend:
    """The backend called `id_`. Raises `InvalidSetup` for an unknown name, with suggestions."""
    known = registrations()
    if id_ not in known:
        close = difflib.get_close_matches(id_, known, n=1)
        hint = f"Did you mean “{close[0]}”?" if close else f"Known: {', '.join(sorted(known))}."
        raise InvalidSetup(f"There is no backend called “{id_}”.", hint)
    module_name, _, class_name = known[id_].target.partition(":")
    try:
        backend_class = vars(importlib.import_module(module_name))[class_name]
        return cast(Backend, backend_class())
    except Exception as error:
        raise BackendUnavailable(
            f"The backend “{id_}” ({known[id_].origin}) could not be started: {error}",
            "Reinstall or remove the package it comes from.",
        ) from error


def usable_backends() -> list[Backend]:
    """Every backend that can be started; broken ones are left out (the Machine page lists them)."""
    usable = []
    for id_ in registrations():
        try:
            usable.append(get_backend(id_))
        except BackendUnavailable:
            continue
    return usable
