"""GPTQ on this machine, for models that nobody has published quantized: made once, kept, and used
from then on. Shows how far it is, and can be stopped by ending the worker."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, GPTQConfig

from backends.errors import LoadFailed
from backends.local.worker.checkpoint import open_tokenizer
from backends.worker.conversions import digest_of_weights, kept_folder
from backends.worker.prompts import PLAIN_TEMPLATE

OnStage = Callable[[str, float | None], None]
# The default kernel on a CPU takes only matrices with sides that are multiples of this.
_KERNEL_WIDTH = 16
_GROUP_SIZES = (128, 64, 32)
_LEAST_CALIBRATION_TOKENS = 2_000
_ROW_TOKENS = 512
_LIBRARY_LOG = "optimum.gptq.quantizer"
_MATRICES_A_BLOCK = 7


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a checkpoint is made. Another recipe is another checkpoint."""

    source: str
    revision: str | None
    weights_digest: str
    bits: int
    group_size: int
    calibration_digest: str


def kernel_for(folder: Path) -> str:
    """GPTQModel's backend that takes the widths of this model: its choice, or plain torch."""
    return "auto" if all(width % _KERNEL_WIDTH == 0 for width in _widths(folder)) else "torch"


def group_size_for(folder: Path) -> int:
    """The largest usual group that divides all widths; the smallest where none does."""
    widths = _widths(folder)
    fitting = (size for size in _GROUP_SIZES if all(width % size == 0 for width in widths))
    return next(fitting, _GROUP_SIZES[-1])


def _widths(folder: Path) -> tuple[int, ...]:
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    text = config.get_text_config()
    head_size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    kv_heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    heads = text.num_attention_heads * head_size
    return text.hidden_size, text.intermediate_size, heads, kv_heads * head_size


def quantized_folder(
    source: str,
    folder: Path,
    revision: str | None,
    bits: int,
    calibration: Path,
    kept_in: Path,
    device: torch.device,
    on_stage: OnStage,
) -> Path:
    """The folder of the quantized checkpoint, made now if it was not before.

    Raises `LoadFailed` for a calibration text that is too short, a full disk, or a model that the
    library cannot quantize.
    """
    recipe = Recipe(
        source=source,
        revision=revision,
        weights_digest=digest_of_weights(folder),
        bits=bits,
        group_size=group_size_for(folder),
        calibration_digest=hashlib.sha256(calibration.read_bytes()).hexdigest()[:16],
    )
    return kept_folder(
        kept_in,
        "gptq",
        asdict(recipe),
        lambda partial: _quantize(folder, recipe, calibration, partial, device, on_stage),
    )


def _quantize(
    folder: Path,
    recipe: Recipe,
    calibration: Path,
    partial: Path,
    device: torch.device,
    on_stage: OnStage,
) -> None:
    tokenizer = open_tokenizer(folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    texts = _calibration_texts(tokenizer, calibration)
    config = GPTQConfig(
        bits=recipe.bits,
        group_size=recipe.group_size,
        dataset=texts,
        tokenizer=tokenizer,
        batch_size=1,
        model_seqlen=_ROW_TOKENS,
        backend=kernel_for(folder),
    )
    on_stage("Quantizing with GPTQ", 0.0)
    layers = AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config()
    matrices = layers.num_hidden_layers * _MATRICES_A_BLOCK
    try:
        with _told(matrices, on_stage):
            model = AutoModelForCausalLM.from_pretrained(
                folder,
                quantization_config=config,
                device_map={"": device},
                dtype=torch.bfloat16,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
            )
    except OSError:
        raise
    except Exception as error:
        raise LoadFailed(
            f"GPTQ cannot quantize this model ({str(error)[:300] or type(error).__name__}): its "
            f"widths are {', '.join(str(width) for width in dict.fromkeys(_widths(folder)))}.",
            "Choose INT8 or NF4 weights, or a published GPTQ checkpoint.",
            str(error)[:4000],
        ) from error
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    forget_dataset(partial / "config.json")


@contextmanager
def _told(matrices: int, on_stage: OnStage) -> Iterator[None]:
    """Turns the library's log lines, one for each matrix, into progress."""

    class Teller(logging.Handler):
        done = 0

        def emit(self, record: logging.LogRecord) -> None:
            if (
                record.getMessage().startswith("Quantizing ")
                and " in block " in record.getMessage()
            ):
                place = record.getMessage().rpartition(" in block ")[2].rstrip(".")
                self.done += 1
                on_stage(f"Quantizing layer {place}", min(1.0, self.done / matrices))

    logger, teller = logging.getLogger(_LIBRARY_LOG), Teller()
    level = logger.level
    logger.addHandler(teller)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(teller)
        logger.setLevel(level)


def _calibration_texts(tokenizer: Any, calibration: Path) -> list[str]:
    """Each dialogue as the model's own template writes it. Raises `LoadFailed` if they are few."""
    dialogues = json.loads(calibration.read_text(encoding="utf-8"))
    template = tokenizer.chat_template or PLAIN_TEMPLATE
    texts = [
        str(
            tokenizer.apply_chat_template(
                [m for m in dialogue["messages"] if m["role"] != "system"],
                chat_template=template,
                tokenize=False,
            )
        )
        for dialogue in dialogues
    ]
    tokens = sum(len(tokenizer(text)["input_ids"]) for text in texts)
    if tokens < _LEAST_CALIBRATION_TOKENS:
        raise LoadFailed(
            f"The calibration text has {tokens:,} tokens; GPTQ needs "
            f"{_LEAST_CALIBRATION_TOKENS:,} at least.",
            f"Put more dialogues into {calibration.name}.",
        )
    return texts


def forget_dataset(path: Path) -> None:
    """The calibration texts do not belong into the configuration: loading does not need them."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["quantization_config"]["dataset"] = None
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
