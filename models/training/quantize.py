"""INT4 GPTQ of the target, with GPTQModel: `bundled/target-gptq-int4`, which transformers opens."""

import os
import random
import shutil
from pathlib import Path

from backends.local.worker.gptq import forget_dataset
from models.training.batches import max_chars, render
from models.training.dialogues import conversation

BITS = 4
GROUP_SIZE = 128
_CALIBRATION_CONVERSATIONS = 256


def calibration_texts(count: int = _CALIBRATION_CONVERSATIONS) -> list[str]:
    """Conversations as the chat template writes them, from a seed that training does not use."""
    return [
        "".join(text for text, _ in render(said.messages()))
        for said in (
            conversation(random.Random(f"calibration:{number}"), "train", max_chars(256))
            for number in range(count)
        )
    ]


def quantize(target: Path, folder: Path) -> None:
    """Quantize the exported target and write the checkpoint; replaces what is there.

    GPTQModel is imported here only: it starts threads and changes settings of torch.
    """
    # With two cores or fewer its loader asks for more threads than its pool has.
    os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")
    from transformers import AutoModelForCausalLM, AutoTokenizer, GPTQConfig

    tokenizer = AutoTokenizer.from_pretrained(target)
    config = GPTQConfig(
        bits=BITS,
        group_size=GROUP_SIZE,
        dataset=calibration_texts(),
        tokenizer=tokenizer,
        batch_size=1,
        model_seqlen=512,
    )
    model = AutoModelForCausalLM.from_pretrained(
        target, quantization_config=config, device_map="cpu", dtype="bfloat16"
    )
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    forget_dataset(partial / "config.json")
    tokenizer.save_pretrained(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
