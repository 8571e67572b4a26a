"""Everything from nothing: `python -m models.training.build`. Each part that is done is kept, and
an interrupted training goes on from its last checkpoint."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import platformdirs
import torch
import typer
from rich.console import Console
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from models.training.allocator import keep_freed_memory
from models.training.batches import max_chars
from models.training.card import write_card
from models.training.dialogue_file import write_dialogues
from models.training.dialogues import conversation
from models.training.evaluate import evaluate
from models.training.export import export
from models.training.long_prompt import write_long_prompt
from models.training.quantize import quantize
from models.training.shapes import DRAFT, TARGET, VOCAB_SIZE, Shape
from models.training.tokenizer import train_tokenizer
from models.training.train import Plan, Progress, Training

BUNDLED = Path(__file__).parents[1] / "bundled"
_TOKENIZER_CONVERSATIONS = 6000


def default_work_folder() -> Path:
    """Where checkpoints lie: in the user's data folder, never in the repository."""
    data = os.environ.get("DYNO_DATA_DIR") or platformdirs.user_data_dir("llm-dyno")
    return Path(data) / "training"


def trained_tokenizer(folder: Path, vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """The tokenizer in `folder`, trained there if there is none."""
    path = folder / "tokenizer.json"
    if not path.exists():
        texts = (
            message["content"]
            for number in range(_TOKENIZER_CONVERSATIONS)
            for message in conversation(
                random.Random(f"tokenizer:{number}"), "train", max_chars(256)
            ).messages()
        )
        folder.mkdir(parents=True, exist_ok=True)
        train_tokenizer(texts, vocab_size).save(str(path))
    return Tokenizer.from_file(str(path))


def default_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _reporter(name: str, total_tokens: int) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        print(
            f"{name}: step {progress.step}, {progress.tokens / 1e6:.2f} of "
            f"{total_tokens / 1e6:.1f} M tokens, loss {progress.loss:.3f}, "
            f"{progress.tokens / max(progress.seconds, 1e-9):.0f} "
            f"tok/s, {progress.seconds / 60:.1f} min",
            flush=True,
        )

    return report


def _trained(
    name: str,
    shape: Shape,
    plan: Plan,
    tokenizer: Tokenizer,
    work: Path,
    *,
    teacher: LlamaForCausalLM | None = None,
    fuse: bool,
    device: str,
) -> Training:
    """One model, trained until the plan's tokens are reached."""
    training = Training(shape, tokenizer, plan, work / name, teacher=teacher, device=device)
    if fuse:
        training.model.model.compile(dynamic=True)
    training.run(_reporter(name, plan.total_tokens))
    return training


def main(
    work_dir: Annotated[Path | None, typer.Option(help="Where checkpoints lie.")] = None,
    out: Annotated[Path, typer.Option(help="Where the models are written.")] = BUNDLED,
    target_tokens: Annotated[float, typer.Option(help="Millions of tokens.")] = 38.5,
    draft_tokens: Annotated[float, typer.Option(help="Millions of tokens.")] = 9.0,
    threads: Annotated[int, typer.Option(help="CPU threads for training.")] = 1,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = default_device(),
    fuse: Annotated[bool, typer.Option(help="torch.compile: wants a C++ compiler.")] = False,
    snapshot: Annotated[bool, typer.Option(help="Only export the target as it is now.")] = False,
    fresh: Annotated[bool, typer.Option(help="Forget earlier checkpoints.")] = False,
    each: Annotated[int, typer.Option(help="Evaluation questions of each kind.")] = 100,
    hardware: Annotated[str, typer.Option(help="For the card.")] = f"{os.cpu_count()} CPU cores",
) -> None:
    # Before any other thread is started, since it holds for a thread and those that it starts. The
    # attention of a trained model is full of numbers too small for fp32, which a CPU computes
    # slowly: they took 45 % of a step.
    torch.set_flush_denormal(True)
    torch.set_num_threads(threads)
    keep_freed_memory()
    work = work_dir or default_work_folder()
    if fresh:
        shutil.rmtree(work, ignore_errors=True)
    tokenizer = trained_tokenizer(work)
    plan = Plan(int(target_tokens * 1e6))
    if snapshot:
        training = Training(TARGET, tokenizer, plan, work / "target", device=device)
        export(training.averaged_model(), tokenizer, out / "target")
        return
    target = _trained("target", TARGET, plan, tokenizer, work, fuse=fuse, device=device)
    export(target.averaged_model(), tokenizer, out / "target")
    plan = Plan(int(draft_tokens * 1e6))
    teacher = target.averaged_model()
    draft = _trained(
        "draft", DRAFT, plan, tokenizer, work, teacher=teacher, fuse=fuse, device=device
    )
    export(draft.averaged_model(), tokenizer, out / "draft")
    write_long_prompt(out)
    write_dialogues(out)
    quantize(out / "target", out / "target-gptq-int4")
    result = evaluate(out, each, Console())
    write_card(out / "README.md", result, target.progress, draft.progress, hardware)


if __name__ == "__main__":
    typer.run(main)
