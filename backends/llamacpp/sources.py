"""Where the weights of a setup come from: a folder, a GGUF file or a Hub id."""

from __future__ import annotations

from pathlib import Path

from backends.catalog import catalog, placed, resolve
from backends.errors import InvalidSetup, ModelNotFound
from backends.setup import Setup

_ENDING = ".gguf"


def is_gguf(source: str) -> bool:
    return source.lower().endswith(_ENDING)


def weights_source(name: str) -> str:
    """An absolute path of a folder or a GGUF file, or a Hub id. Raises `ModelNotFound`."""
    if not is_gguf(name):
        return resolve(name)
    file = Path(name).expanduser().resolve()
    if not file.is_file():
        raise ModelNotFound(f"There is no file {name}.", "Check the path.")
    return str(file)


def draft_source(setup: Setup) -> str | None:
    """The same of the draft that the setup wants, if it wants one.

    Raises `InvalidSetup` where none is named and the catalog knows none.
    """
    if setup.speculation != "draft":
        return None
    if setup.draft_model is not None:
        return weights_source(setup.draft_model)
    entry = catalog().get(setup.model)
    if entry is None or entry.draft is None:
        raise InvalidSetup(
            "No draft model is known for this model.",
            "Name one under Draft model, or choose prompt lookup.",
        )
    return placed(entry.draft)
