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
from tokenizers import Tokenizer

from models.training.batches import max_chars
from models.training.dialogues import conversation
from models.training.export import export
from models.training.shapes import DRAFT, TARGET, VOCAB_SIZE, Shape
from models.training.tokenizer import train_tokenizer
from models.training.train import Plan, Progress, Training

BUNDLED = Path(__file__).parents[1] / "bundled"
_TOKENIZER_CONVERSATIONS = 6000


def default_work_folder() -> Path:
    """Where checkpoints lie: in the user's data folder, never in the repository."""
    data = os.environ.get("DYNO_DATA_DIR") or platformdirs.user_data_dir("llm-dyno")
    return Path(data) / "training"


def trained_tokenizer(folder: Path) -> Tokenizer:
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
        train_tokenizer(texts, VOCAB_SIZE).save(str(path))
    return Tokenizer.from_file(str(path))


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


def train_and_export(
    name: str, shape: Shape, plan: Plan, tokenizer: Tokenizer, work: Path, bundled: Path, fuse: bool
) -> Progress:
    """Train (or go on training) one model and export its averaged weights to `bundled/name`."""
    training = Training(shape, tokenizer, plan, work / name)
    if fuse:
        training.model.model.compile(dynamic=True)
    training.run(_reporter(name, plan.total_tokens))
    export(training.averaged_model(), tokenizer, bundled / name)
    return training.progress


def main(
    work_dir: Annotated[Path | None, typer.Option(help="Where checkpoints lie.")] = None,
    out: Annotated[Path, typer.Option(help="Where the models are written.")] = BUNDLED,
    target_tokens: Annotated[float, typer.Option(help="Millions of tokens.")] = 10.0,
    draft_tokens: Annotated[float, typer.Option(help="Millions of tokens.")] = 5.0,
    threads: Annotated[int, typer.Option(help="CPU threads for training.")] = 1,
    fuse: Annotated[
        bool, typer.Option(help="torch.compile it: faster, wants a C++ compiler.")
    ] = False,
    only: Annotated[str, typer.Option(help="target, draft or snapshot (of the target).")] = "",
    fresh: Annotated[bool, typer.Option(help="Forget earlier checkpoints.")] = False,
) -> None:
    torch.set_num_threads(threads)
    work = work_dir or default_work_folder()
    if fresh:
        shutil.rmtree(work, ignore_errors=True)
    tokenizer = trained_tokenizer(work)
    target_plan = Plan(int(target_tokens * 1e6))
    if only == "snapshot":
        training = Training(TARGET, tokenizer, target_plan, work / "target")
        export(training.averaged_model(), tokenizer, out / "target")
        _reporter("snapshot", target_plan.total_tokens)(training.progress)
        return
    if only in ("", "target"):
        train_and_export("target", TARGET, target_plan, tokenizer, work, out, fuse)
    if only in ("", "draft"):
        plan = Plan(int(draft_tokens * 1e6))
        train_and_export("draft", DRAFT, plan, tokenizer, work, out, fuse)


if __name__ == "__main__":
    typer.run(main)
