"""What a checkpoint's folder holds, read from file headers alone. No torch."""

from __future__ import annotations

import json
import math
from pathlib import Path

from pydantic import BaseModel

from backends.errors import LoadFailed, ModelNotFound
from backends.local.formats import Format

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_MAX_HEADER_BYTES = 100_000_000
# Matrices that no method here quantizes.
_OUTSIDE = ("embed", "lm_head", "wte", "wpe")


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


def checkpoint_bytes(folder: Path, wanted: Format | None) -> int:
    """Bytes of all tensors once loaded in a format (None: as stored).

    Read from the safetensors headers: 8 bytes of length, then JSON with shapes. What is no floating
    number is quantized already and stays as it is.
    """
    total = 0.0
    for path in folder.glob("*.safetensors"):
        for name, tensor in _header(path).items():
            start, end = tensor.data_offsets
            if wanted is None or tensor.dtype not in ("F64", "F32", "F16", "BF16"):
                total += end - start
            else:
                in_layers = len(tensor.shape) == 2 and not any(word in name for word in _OUTSIDE)
                item_bytes = wanted.matrix_bytes if in_layers else wanted.other_bytes
                total += math.prod(tensor.shape) * item_bytes
    return int(total)


def gptq_bits(folder: Path) -> int | None:
    """Bits of a checkpoint that GPTQ has quantized; None if it is no such one."""
    recipe = configuration(folder).get("quantization_config")
    if not isinstance(recipe, dict) or recipe.get("quant_method") != "gptq":
        return None
    bits = recipe.get("bits")
    return bits if isinstance(bits, int) else None


def has_sliding_window(folder: Path) -> bool:
    """Whether some layer of the checkpoint sees a window of the text only."""
    config = configuration(folder)
    text = config.get("text_config")
    text = text if isinstance(text, dict) else config
    if text.get("use_sliding_window") is False:
        return False
    kinds = text.get("layer_types")
    if isinstance(kinds, list):
        return "sliding_attention" in kinds
    return text.get("sliding_window") is not None


def configuration(folder: Path, name: str = "config.json") -> dict[str, object]:
    """What config.json, or another such file, says; nothing where it cannot be read."""
    try:
        config = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


class _Tensor(BaseModel):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def _header(path: Path) -> dict[str, _Tensor]:
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > _MAX_HEADER_BYTES:
                raise ValueError("header too long")
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        return {name: _Tensor.model_validate(tensor) for name, tensor in header.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise LoadFailed(
            f"{path.name} is not a whole safetensors file.", "Download or copy it again."
        ) from error
