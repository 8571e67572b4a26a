"""Real disks that are small or read-only, for tests of bad luck."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.needs import lacking


def _mount(*arguments: str) -> None:
    try:
        subprocess.run(["mount", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or error
        lacking("DISK", f"this machine does not let us mount: {said}")


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


@contextlib.contextmanager
def small_disk(folder: Path, size: str = "1m") -> Iterator[Path]:
    """A filesystem of `size` at `folder`."""
    if not _is_root():
        lacking("DISK", "a size-limited filesystem needs root to mount")
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until the disk has no byte left; remove the returned file to free it."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    return ballast


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """Make an existing folder read-only. Root ignores permission bits, so it gets a mount."""
    if _is_root():
        _mount("--bind", str(folder), str(folder))
        try:
            _mount("-o", "remount,bind,ro", str(folder))
            yield folder
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in reversed(paths):
        path.chmod(modes[path] & ~0o222)
    try:
        yield folder
    finally:
        for path in paths:
            path.chmod(modes[path])
