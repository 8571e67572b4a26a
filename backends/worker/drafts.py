"""Which draft model a setup wants."""

from __future__ import annotations

from backends.catalog import catalog, placed, resolve
from backends.errors import InvalidSetup
from backends.setup import Setup


def draft_source(setup: Setup) -> str | None:
    """Folder, GGUF file or Hub id of the draft that the setup wants, if it wants one.

    Raises `InvalidSetup` where none is named and the catalog knows none.
    """
    if setup.speculation != "draft":
        return None
    if setup.draft_model is not None:
        return resolve(setup.draft_model)
    entry = catalog().get(setup.model)
    if entry is None or entry.draft is None:
        raise InvalidSetup(
            "No draft model is known for this model.",
            "Name one under Draft model, or choose prompt lookup.",
        )
    return placed(entry.draft)
