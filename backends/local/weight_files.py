"""What a checkpoint's folder holds, read from file headers alone. No torch."""

from __future__ import annotations

import json
import math
from pathlib import Path

from pydantic import BaseModel

from backends.errors import LoadFailed, ModelNotFound

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_MAX_HEADER_BYTES = 100_000_000


def check_folder(folder: Path) -> None:
    """Refuse a folder without a model, and one whose weights are pickles.

    Raises `ModelNotFound` or `LoadFailed`.
    """
    if not (folder / "config.json").is_file():
        raise ModelNotFound(
            f"There is no model in {folder.name}: it has no config.json.",
            "Choose the folder that holds config.json and the .safetensors files.",
        )
    if list(folder.glob("*.safetensors")):
        return
    pickles = [path.name for pattern in _PICKLES for path in folder.glob(pattern)]
    if pickles:
        raise pickle_only(pickles[0])
    raise ModelNotFound(
        f"There are no weights in {folder.name}: no .safetensors file.",
        "Choose the folder that holds config.json and the .safetensors files.",
    )


def pickle_only(file_name: str) -> LoadFailed:
    return LoadFailed(
        f"The weights are pickle files ({file_name}), which can run code when opened.",
        "Use a revision with .safetensors, or convert it with safetensors' convert script.",
    )


def checkpoint_bytes(folder: Path, item_bytes: int | None) -> int:
    """Bytes of all tensors when floating ones take `item_bytes` each (None: as stored).

    Read from the safetensors headers: 8 bytes of length, then JSON with shapes.
    """
    total = 0
    for path in folder.glob("*.safetensors"):
        for tensor in _header(path):
            start, end = tensor.data_offsets
            is_float = tensor.dtype in ("F64", "F32", "F16", "BF16")
            total += (
                math.prod(tensor.shape) * item_bytes if is_float and item_bytes else end - start
            )
    return total


class _Tensor(BaseModel):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def _header(path: Path) -> list[_Tensor]:
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > _MAX_HEADER_BYTES:
                raise ValueError("header too long")
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        return [_Tensor.model_validate(tensor) for tensor in header.values()]
    except (OSError, ValueError, AttributeError) as error:
        raise LoadFailed(
            f"{path.name} is not a whole safetensors file.", "Download or copy it again."
        ) from error
