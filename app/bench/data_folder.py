"""What lies in the data folder, how large it is, and what of it may be cleared.

The folder holds all that is made at run time. Links are counted as links and never followed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backends.errors import DynoError, InvalidRequest
from backends.settings import Settings

PRICES_FILE = "prices.json"
SERVERS_FILE = "servers.json"
TOOLS_FOLDER = "tools"
WORKLOADS_FOLDER = "workloads"


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of thing in the folder. `names` are top-level entries; a final * is any ending."""

    id: str
    title: str
    about: str
    names: tuple[str, ...]
    why_not_cleared: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """How much there is of a kind. `size_bytes` sums file sizes, `files` counts them."""

    kind: Kind
    paths: tuple[Path, ...]
    size_bytes: int
    files: int

    @property
    def can_be_cleared(self) -> bool:
        return not self.kind.why_not_cleared and self.files > 0


KINDS = (
    Kind(
        "database",
        "Runs and conversations",
        "The SQLite database and its journal.",
        ("dyno.sqlite3*",),
        "Delete runs and conversations on their pages, where it can be undone.",
    ),
    Kind(
        "prices",
        "Prices",
        "The prices that you set.",
        (PRICES_FILE,),
        "Clear a price where it is set.",
    ),
    Kind(
        "servers",
        "Saved servers",
        "Addresses that you saved under a name, without keys.",
        (SERVERS_FILE,),
        "Forget a server where it is chosen.",
    ),
    Kind(
        "workloads",
        "Prompts of experiments",
        "What experiments asked; without it one that is unfinished cannot go on.",
        (WORKLOADS_FOLDER,),
    ),
    Kind(
        "serverless",
        "List of hosted models",
        "Who hosts what for how much, read once a day.",
        ("serverless_models.json",),
    ),
    Kind("logs", "Logs", "What the app and its engines wrote.", ("logs",)),
    Kind("downloads", "Downloads", "Models fetched from the Hub.", ("downloads",)),
    Kind("conversions", "Conversions", "GGUF and GPTQ files made here.", ("conversions",)),
    Kind("checkpoints", "Checkpoints", "Unfinished training.", ("checkpoints",)),
    Kind("tools", "Tools", "Programs that benchmarks compare with.", (TOOLS_FOLDER,)),
    Kind(
        "locks",
        "Locks",
        "Which process has a device.",
        ("locks", "*.lock"),
        "They are empty, and in use while the app runs.",
    ),
    Kind("other", "Other files", "Not made by this version.", (), "It is not known what they are."),
)


def contents(settings: Settings) -> list[Contents]:
    """Every kind, also empty ones, in a fixed order. An unreadable folder counts as empty."""
    paths: dict[str, list[Path]] = {kind.id: [] for kind in KINDS}
    with contextlib.suppress(OSError):
        for path in sorted(settings.data_dir.iterdir()):
            paths[_kind_of(path.name).id].append(path)
    return [_measure(kind, paths[kind.id]) for kind in KINDS]


def clear(kind_id: str, settings: Settings) -> int:
    """Remove what there is of a kind and return the bytes freed.

    Raises `InvalidRequest` for an unknown kind or one that may not be cleared, `DynoError` where
    files could not be removed. Logs are emptied in place, since they are open.
    """
    kind = next((kind for kind in KINDS if kind.id == kind_id), None)
    if kind is None:
        raise InvalidRequest(f"There is nothing called “{kind_id}” in the data folder.")
    if kind.why_not_cleared:
        raise InvalidRequest(f"{kind.title} are not cleared here.", kind.why_not_cleared)
    found = next(one for one in contents(settings) if one.kind.id == kind_id)
    try:
        for path in found.paths:
            _remove(path, keep_files=kind_id == "logs")
    except OSError as error:
        raise DynoError(
            f"{kind.title} could not be cleared whole: {error.strerror or error}.",
            f"Close what uses them, or remove {error.filename or settings.data_dir} by hand.",
        ) from error
    left = next(one for one in contents(settings) if one.kind.id == kind_id)
    return found.size_bytes - left.size_bytes


def free_bytes(settings: Settings) -> int | None:
    """Free space on the disk of the data folder; None where it cannot be told."""
    for folder in (settings.data_dir, *settings.data_dir.absolute().parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(folder).free
    return None


def why_not_writable(settings: Settings) -> str:
    """Found out by writing a byte; empty where that works."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.data_dir, prefix=".probe-") as file:
            file.write(b"\0")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _kind_of(name: str) -> Kind:
    for kind in KINDS:
        for pattern in kind.names:
            if Path(name).match(pattern):
                return kind
    return KINDS[-1]


def _measure(kind: Kind, paths: list[Path]) -> Contents:
    sizes = [size for path in paths for size in _sizes(path)]
    return Contents(kind, tuple(paths), sum(sizes), len(sizes))


def _sizes(path: Path) -> Iterator[int]:
    """Sizes of the files under a path; what vanishes meanwhile is left out."""
    with contextlib.suppress(OSError):
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            yield found.st_size
            return
        for child in path.iterdir():
            yield from _sizes(child)


def _remove(path: Path, *, keep_files: bool) -> None:
    if path.is_symlink() or not path.is_dir():
        if keep_files and not path.is_symlink():
            os.truncate(path, 0)
        else:
            path.unlink(missing_ok=True)
        return
    for child in path.iterdir():
        _remove(child, keep_files=keep_files)
    if not keep_files:
        path.rmdir()
