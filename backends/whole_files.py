"""Small files that are written whole or not at all, and never over what could not be read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Replace a small file so that a reader sees the old text or the new. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def set_aside(path: Path) -> None:
    """Before another file takes its place: keep one that cannot be read beside it, for its owner
    to look at. Raises `OSError`."""
    path.replace(path.with_name(f"{path.name}.unreadable"))
