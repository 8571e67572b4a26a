"""Tokenizer, target and draft, from nothing to files that `from_pretrained` opens:
`python -m models.training.learn`. This is what a GPU is for; it needs no more than torch,
transformers and the generator. An interrupted training goes on from its last checkpoint."""

import math
import os
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import platformdirs
import torch
import typer
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from models.training.allocator import keep_freed_memory
from models.training.batches import max_chars
from models.training.dialogues import conversation
from models.training.export import export
from models.training.knowledge import first_sentence
from models.training.plan import Plan, further, gpu_plan
from models.training.shapes import DRAFT, TARGET, VOCAB_SIZE, Shape
from models.training.tokenizer import train_tokenizer
from models.training.train import Progress, Training
from models.training.warm_start import warm_start

BUNDLED = Path(__file__).parents[1] / "bundled"
DEFAULT_DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
_TOKENIZER_CONVERSATIONS = 6000
# Millions of tokens for the target and for the draft.
_USUAL_TOKENS = {"cpu": (38.5, 9.0), "cuda": (300.0, 60.0)}
# Each writes and encodes some 100,000 tokens a second.
_MOST_WORKERS = 10
# The exit status of a run that was stopped by `--minutes`.
_GOES_ON = 75

# What the command line of this module and that of `build` share.
WorkDir = Annotated[Path | None, typer.Option(help="Where checkpoints lie.")]
Out = Annotated[Path, typer.Option(help="Where the models are written.")]
TargetTokens = Annotated[float | None, typer.Option(help="Millions; 300 on a GPU, 38.5 on a CPU.")]
DraftTokens = Annotated[float | None, typer.Option(help="Millions; 60 on a GPU, 9 on a CPU.")]
Threads = Annotated[int, typer.Option(help="CPU threads for training.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
Workers = Annotated[int | None, typer.Option(help="Processes that write texts.")]
Minutes = Annotated[float, typer.Option(help="Stop after so many; the same command goes on.")]
StartFrom = Annotated[
    Path | None, typer.Option(help="A checkpoint whose weights the target begins with.")
]
DraftFrom = Annotated[
    Path | None, typer.Option(help="A checkpoint whose weights the draft begins with.")
]
Rate = Annotated[
    float | None,
    typer.Option(
        help="Learn further, with --start-from's tokenizer, at so much of the usual rates."
    ),
]
Fuse = Annotated[bool, typer.Option(help="torch.compile: wants a C++ compiler.")]
Fresh = Annotated[bool, typer.Option(help="Forget earlier checkpoints.")]


def default_work_folder() -> Path:
    """Where checkpoints lie: in the user's data folder, never in the repository."""
    data = os.environ.get("DYNO_DATA_DIR") or platformdirs.user_data_dir("llm-dyno")
    return Path(data) / "training"


def trained_tokenizer(folder: Path, vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """The tokenizer in `folder`, trained there if there is none."""
    path = folder / "tokenizer.json"
    if not path.exists():
        said = [
            conversation(random.Random(f"tokenizer:{number}"), "train", max_chars(256))
            for number in range(_TOKENIZER_CONVERSATIONS)
        ]
        texts = (message["content"] for talk in said for message in talk.messages())
        # What is said again in upper case is the first sentence of an answer.
        answers = (first_sentence(turn.assistant) for talk in said for turn in talk.turns)
        folder.mkdir(parents=True, exist_ok=True)
        train_tokenizer(texts, answers, vocab_size).save(str(path))
    return Tokenizer.from_file(str(path))


@dataclass(frozen=True)
class Way:
    """How both models are trained: on what, with how much help, and until when (of the monotonic
    clock)."""

    device: str
    workers: int
    fuse: bool
    until_s: float


class _TimeIsOver(Exception):
    """What was reached is saved; the same command goes on from there."""


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
    folder: Path,
    shape: Shape,
    plan: Plan,
    tokenizer: Tokenizer,
    way: Way,
    *,
    start_from: Path | None = None,
    teacher: LlamaForCausalLM | None = None,
) -> Training:
    """One model, trained until the plan's tokens are reached; raises `_TimeIsOver` before."""
    training = Training(
        shape, tokenizer, plan, folder, teacher=teacher, device=way.device, workers=way.workers
    )
    if start_from is not None:
        training.begin_with(lambda model: warm_start(model, tokenizer, start_from))
    if way.fuse:
        training.compile_layers()
    try:
        left_s = way.until_s - time.monotonic()
        report = _reporter(folder.name, plan.total_tokens)
        if not training.run(report, at_most_s=left_s):
            raise _TimeIsOver
    finally:
        training.close()
    return training


def learn(
    work: Path,
    out: Path,
    way: Way,
    *,
    target_tokens: float | None = None,
    draft_tokens: float | None = None,
    start_from: Path | None = None,
    draft_from: Path | None = None,
    rate: float | None = None,
) -> tuple[Progress, Progress]:
    """Train target and draft and write them to `out`; how far both trainings went."""
    tokenizer = trained_tokenizer(work if start_from is None or rate is None else start_from)
    make_plan = gpu_plan if way.device == "cuda" else Plan
    millions = (target_tokens, draft_tokens)
    plans = [
        make_plan(int((wanted or usual) * 1e6))
        for wanted, usual in zip(millions, _USUAL_TOKENS[way.device], strict=True)
    ]
    target_plan, draft_plan = plans if rate is None else (further(plan, rate) for plan in plans)
    target = _trained(work / "target", TARGET, target_plan, tokenizer, way, start_from=start_from)
    export(target.averaged_model(), tokenizer, out / "target")
    teacher = target.averaged_model()
    draft = _trained(
        work / "draft", DRAFT, draft_plan, tokenizer, way, start_from=draft_from, teacher=teacher
    )
    export(draft.averaged_model(), tokenizer, out / "draft")
    return target.progress, draft.progress


def main(
    work_dir: WorkDir = None,
    out: Out = BUNDLED,
    target_tokens: TargetTokens = None,
    draft_tokens: DraftTokens = None,
    threads: Threads = 1,
    device: Device = DEFAULT_DEVICE,
    workers: Workers = None,
    minutes: Minutes = math.inf,
    start_from: StartFrom = None,
    draft_from: DraftFrom = None,
    rate: Rate = None,
    fuse: Fuse = False,
    fresh: Fresh = False,
) -> tuple[Progress, Progress]:
    if rate is not None and start_from is None:
        raise typer.BadParameter("--rate is for learning further: it wants --start-from.")
    until_s = time.monotonic() + 60 * minutes
    # Before any other thread is started, since it holds for a thread and those that it starts. The
    # attention of a trained model is full of numbers too small for fp32, which a CPU computes
    # slowly: they took 45 % of a step.
    torch.set_flush_denormal(True)
    torch.set_num_threads(threads)
    keep_freed_memory()
    work = work_dir or default_work_folder()
    if fresh:
        shutil.rmtree(work, ignore_errors=True)
    if workers is None:
        workers = min(_MOST_WORKERS, (os.cpu_count() or 2) - 2) if device == "cuda" else 0
    try:
        return learn(
            work,
            out,
            Way(device, workers, fuse, until_s),
            target_tokens=target_tokens,
            draft_tokens=draft_tokens,
            start_from=start_from,
            draft_from=draft_from,
            rate=rate,
        )
    except _TimeIsOver:
        print("Time is over. The same command, without --fresh, goes on from here.")
        raise typer.Exit(_GOES_ON) from None


if __name__ == "__main__":
    typer.run(main)
