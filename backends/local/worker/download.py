"""Brings a Hub model into the local cache, and says plainly why it cannot."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from backends.errors import DynoError, LoadFailed, MissingCredential, ModelNotFound
from backends.local.weight_files import pickle_only

_FILES = ("*.json", "*.safetensors", "*.jinja", "tokenizer.model", "*.txt")
_PICKLES = ("*.bin", "*.pt", "*.pth")
_TIMEOUT_SECONDS = 10.0


def fetch_from_hub(
    model_id: str,
    revision: str | None,
    token: str | None,
    on_stage: Callable[[str, float | None], None],
    files_of: Callable[[str, Collection[str]], Sequence[str]] | None = None,
) -> tuple[Path, str | None]:
    """Folder of the snapshot and its commit. Works from the cache when the Hub is out of reach.

    `files_of` is given the model's id and the names of its files, and says which are wanted, as
    patterns: those of a checkpoint unless told otherwise. Raises `ModelNotFound`,
    `MissingCredential` (gated) or `LoadFailed` (pickle-only, no network).
    """
    on_stage(f"Looking up {model_id}", None)
    try:
        info = HfApi(token=token).model_info(
            model_id, revision=revision, timeout=_TIMEOUT_SECONDS, files_metadata=True
        )
    except GatedRepoError as error:
        raise _gated(model_id) from error
    except RevisionNotFoundError as error:
        raise ModelNotFound(
            f"{model_id} has no revision “{revision}”.", "Leave the revision empty."
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelNotFound(
            f"The Hub knows no model {model_id}, or it is private.",
            "Check the spelling (org/name); for a private model set HF_TOKEN.",
        ) from error
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, OSError, HfHubHTTPError) as error:
        return _from_cache(model_id, revision, error)
    except Exception as error:
        # The Hub's client wraps its transport: anything else is a failure to reach it.
        return _from_cache(model_id, revision, error)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    patterns = (files_of or checkpoint_files)(model_id, sizes)
    wanted = sum(s for n, s in sizes.items() if any(fnmatch.fnmatch(n, p) for p in patterns))
    try:
        folder = snapshot_download(
            model_id,
            revision=revision,
            token=token,
            allow_patterns=list(patterns),
            tqdm_class=_progress_class(wanted, on_stage),
        )
    except GatedRepoError as error:
        raise _gated(model_id) from error
    except Exception as error:
        raise _download_failed(model_id, error) from error
    return Path(folder), Path(folder).name


def checkpoint_files(model_id: str, names: Collection[str]) -> Sequence[str]:
    """Patterns of a checkpoint's files. Raises `LoadFailed` or `ModelNotFound` if it has none."""
    if not any(name.endswith(".safetensors") for name in names):
        pickles = [n for n in names if any(fnmatch.fnmatch(n, pattern) for pattern in _PICKLES)]
        if pickles:
            raise pickle_only(pickles[0])
        raise ModelNotFound(
            f"{model_id} has no .safetensors weights.", "Choose a text-generation model."
        )
    return _FILES


def _gated(model_id: str) -> DynoError:
    return MissingCredential(
        f"{model_id} is gated: its owner wants you to accept a licence first.",
        f"Accept it at huggingface.co/{model_id}, then set HF_TOKEN to a token of that account.",
    )


def _download_failed(model_id: str, error: Exception) -> DynoError:
    if isinstance(error, OSError) and error.errno == 28:
        return LoadFailed(
            f"The disk is full: {model_id} could not be stored.",
            "Free some space (Machine page, data folder) and try again; what came stays.",
        )
    return LoadFailed(
        f"The download of {model_id} broke off.",
        "Try again: files that came whole are kept.",
        str(error)[:1000],
    )


def _from_cache(model_id: str, revision: str | None, error: Exception) -> tuple[Path, str | None]:
    try:
        folder = Path(
            snapshot_download(
                model_id, revision=revision, local_files_only=True, allow_patterns=list(_FILES)
            )
        )
    except Exception as missing:
        raise LoadFailed(
            f"{model_id} is not on this machine, and the Hub cannot be reached.",
            "Check the network or a proxy, or choose the bundled model or a local folder.",
            f"{constants.ENDPOINT}: {type(error).__name__}: {str(error)[:500]}",
        ) from missing
    return folder, folder.name


def _progress_class(total_bytes: int, on_stage: Callable[[str, float | None], None]) -> Any:
    """A tqdm that reports bytes to us instead of drawing."""
    from tqdm.auto import tqdm

    class Report(tqdm):  # type: ignore[misc]
        done_bytes = 0

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["disable"] = False
            kwargs["file"] = _Nowhere()
            super().__init__(*args, **kwargs)

        def update(self, n: float | None = 1) -> bool:
            if self.unit == "B" and n:
                Report.done_bytes += int(n)
                fraction = min(1.0, Report.done_bytes / total_bytes) if total_bytes else None
                done, total = Report.done_bytes / 1e6, total_bytes / 1e6
                on_stage(f"Downloading: {min(done, total):,.0f} of {total:,.0f} MB", fraction)
            return bool(super().update(n))

    return Report


class _Nowhere:
    def write(self, text: str) -> None:
        pass

    def flush(self) -> None:
        pass
