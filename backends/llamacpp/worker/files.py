"""The GGUF file that an order wants: given, downloaded, or written here from a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from backends.catalog import is_gguf
from backends.errors import InvalidSetup, ModelNotFound
from backends.llamacpp.checkpoints import check_widths, family_of
from backends.llamacpp.formats import AS_STORED, FORMATS
from backends.llamacpp.worker.gguf_writer import WRITER, write_gguf
from backends.llamacpp.worker.quantize import QUANTIZER, quantize
from backends.local.weight_files import check_folder, configuration
from backends.local.worker.download import checkpoint_files, fetch_from_hub
from backends.setup import Weights
from backends.worker.conversions import digest_of_weights, kept_folder
from backends.worker.messages import Load
from backends.worker.serving import OnStage

_NAME = "model.gguf"
_FROM: Weights = "fp16"
_PART = re.compile(r"-\d{5}-of-\d{5}(?=\.gguf$)")


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A file and, where it was written here, the folder of the checkpoint it was made of."""

    file: Path
    checkpoint: Path | None
    revision: str | None


def gguf_file(
    order: Load, source: str, revision: str | None, weights: Weights, on_stage: OnStage
) -> GgufFile:
    """Find or make the file. Raises `ModelNotFound`, `InvalidSetup` or `LoadFailed`."""
    if is_gguf(source):
        return GgufFile(Path(source), None, None)
    folder = Path(source)
    if not folder.is_dir():
        files_of = partial(_files_of, weights)
        folder, revision = fetch_from_hub(source, revision, order.token, on_stage, files_of)
        names = [str(path.relative_to(folder)) for path in folder.rglob("*.gguf")]
        if names:
            first, *_ = _files_of(weights, source, names)
            return GgufFile(folder / first, None, revision)
    check_folder(folder)
    if weights == AS_STORED:
        raise InvalidSetup(
            "This model is a checkpoint, whose weights are converted.",
            "Choose a format, such as fp16, or give the path of a GGUF file.",
        )
    config: dict[str, Any] = dict(configuration(folder))
    family_of(config)
    check_widths(config, weights)
    file = _converted(folder, weights, Path(order.kept_in), order.threads, on_stage)
    return GgufFile(file, folder, revision)


def _files_of(weights: Weights, model_id: str, names: Collection[str]) -> Sequence[str]:
    """The file of a GGUF repository that has these weights, by its name, with all its parts; the
    files of a checkpoint where there is no GGUF."""
    ggufs = sorted(name for name in names if is_gguf(name))
    if not ggufs:
        return checkpoint_files(model_id, names)
    if weights == AS_STORED:
        fitting = ggufs
    else:
        wanted = {FORMATS[weights].name.lower(), str(weights)}
        fitting = [name for name in ggufs if wanted & set(re.split(r"[-./]", name.lower()))]
    wholes = {_PART.sub("", name) for name in fitting}
    if len(wholes) == 1:
        return fitting
    if weights == AS_STORED:
        raise InvalidSetup(
            f"{model_id} has {len(wholes)} GGUF files.", "Choose the weights of one of them."
        )
    raise ModelNotFound(
        f"{model_id} has no one GGUF file of {FORMATS[weights].name}.",
        f"It has: {', '.join(sorted({_PART.sub('', name) for name in ggufs})[:12])}.",
    )


def _converted(
    folder: Path, weights: Weights, kept_in: Path, threads: int, on_stage: OnStage
) -> Path:
    """The checkpoint's GGUF in the data folder, made now if it was not before."""
    wanted = FORMATS[weights]
    recipe = {
        "source": str(folder),
        "files_digest": digest_of_weights(folder, "*.json", "*.jinja"),
        "format": wanted.name,
        "writer": WRITER,
    }
    if not wanted.is_quantized:
        made = kept_folder(
            kept_in,
            "gguf",
            recipe,
            lambda partial: write_gguf(folder, wanted.name, partial / _NAME, on_stage),
        )
        return made / _NAME
    whole = _converted(folder, _FROM, kept_in, threads, on_stage)
    made = kept_folder(
        kept_in,
        "gguf",
        recipe | {"from": FORMATS[_FROM].name, "quantizer": QUANTIZER},
        lambda partial: quantize(whole, wanted.name, partial / _NAME, threads, on_stage),
    )
    return made / _NAME
