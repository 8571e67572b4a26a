"""Weights made on this machine in another format: once, kept, and used from then on."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from backends.errors import LoadFailed

_RECIPE = "recipe.json"


def kept_folder(
    kept_in: Path, kind: str, recipe: Mapping[str, object], make: Callable[[Path], None]
) -> Path:
    """The folder of the conversion with this recipe; `make` fills a new one if there is none.

    A folder that is there is whole: it gets its name when everything in it is written. Another
    recipe is another folder. Raises `LoadFailed` for a full disk or a folder that cannot be
    written, and whatever `make` raises.
    """
    text = json.dumps(recipe, sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    made = kept_in / f"{kind}-{key}"
    if (made / _RECIPE).is_file():
        return made
    partial = kept_in / f".{kind}-{key}-{os.getpid()}.partial"
    try:
        kept_in.mkdir(parents=True, exist_ok=True)
        _remove_left_over(kept_in)
        partial.mkdir()
        make(partial)
        (partial / _RECIPE).write_text(json.dumps(recipe, indent=2), "utf-8")
        partial.rename(made)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if (made / _RECIPE).is_file():  # another worker was faster
            return made
        raise LoadFailed(
            f"The converted weights could not be kept: {error.strerror or error}.",
            "Free space on the disk of the data folder, or choose other weights."
            if error.errno == errno.ENOSPC
            else f"Check that {kept_in} can be written.",
        ) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return made


def digest_of_weights(folder: Path, *patterns: str) -> str:
    """Names, sizes and times of the weight files and of those that match `patterns`: a checkpoint
    that was changed is another one."""
    found = (path for pattern in ("*.safetensors", *patterns) for path in folder.glob(pattern))
    files = sorted(found)
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(json.dumps(stats).encode()).hexdigest()[:16]


def _remove_left_over(kept_in: Path) -> None:
    """What workers that were killed left behind: their process is gone."""
    for path in kept_in.glob(".*.partial"):
        pid = path.name.removesuffix(".partial").rpartition("-")[2]
        if not Path(f"/proc/{pid}").exists():
            shutil.rmtree(path, ignore_errors=True)
