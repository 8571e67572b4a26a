"""Everything from nothing: `python -m models.training.build`. Each part that is done is kept, and
an interrupted training goes on from its last checkpoint."""

import math
import os
import random
import shutil
import time
from collections.abc import Callable
from functools import partial
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
from models.training.knowledge import first_sentence
from models.training.long_prompt import write_long_prompt
from models.training.plan import Plan, gpu_plan
from models.training.quantize import quantize
from models.training.shapes import DRAFT, TARGET, VOCAB_SIZE, Shape
from models.training.tokenizer import train_tokenizer
from models.training.train import Progress, Training
from models.training.warm_start import warm_start

BUNDLED = Path(__file__).parents[1] / "bundled"
_TOKENIZER_CONVERSATIONS = 6000
# Millions that the target and the draft are trained on.
_USUAL_TOKENS = {"cpu": (38.5, 9.0), "cuda": (300.0, 60.0)}
# Each writes and encodes some 100,000 tokens a second.
_MOST_WORKERS = 10
# The exit status of a run that was stopped by `--minutes`.
_GOES_ON = 75


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


class _TimeIsOver(Exception):
    """What was reached is saved; the same command goes on from there."""


def _trained(
    name: str,
    shape: Shape,
    plan: Plan,
    tokenizer: Tokenizer,
    work: Path,
    *,
    device: str,
    workers: int,
    fuse: bool,
    until_s: float,
    start_from: Path | None = None,
    teacher: LlamaForCausalLM | None = None,
) -> Training:
    """One model, trained until the plan's tokens are reached; raises `_TimeIsOver` at `until_s` of
    the monotonic clock."""
    training = Training(
        shape, tokenizer, plan, work / name, teacher=teacher, device=device, workers=workers
    )
    if start_from is not None:
        training.begin_with(lambda model: warm_start(model, tokenizer, start_from))
    if fuse:
        training.model.model.compile(dynamic=True)
    try:
        left_s = until_s - time.monotonic()
        is_done = training.run(_reporter(name, plan.total_tokens), at_most_s=left_s)
    finally:
        training.close()
    if not is_done:
        raise _TimeIsOver
    return training


def main(
    work_dir: Annotated[Path | None, typer.Option(help="Where checkpoints lie.")] = None,
    out: Annotated[Path, typer.Option(help="Where the models are written.")] = BUNDLED,
    target_tokens: Annotated[
        float | None, typer.Option(help="Millions; 300 on a GPU, 38.5 on a CPU.")
    ] = None,
    draft_tokens: Annotated[
        float | None, typer.Option(help="Millions; 60 on a GPU, 9 on a CPU.")
    ] = None,
    threads: Annotated[int, typer.Option(help="CPU threads for training.")] = 1,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = default_device(),
    workers: Annotated[
        int | None, typer.Option(help="Processes that write texts; as the device needs.")
    ] = None,
    minutes: Annotated[
        float, typer.Option(help="Stop after so many; the same command goes on.")
    ] = math.inf,
    start_from: Annotated[
        Path | None, typer.Option(help="A checkpoint whose weights the target begins with.")
    ] = None,
    fuse: Annotated[bool, typer.Option(help="torch.compile: wants a C++ compiler.")] = False,
    snapshot: Annotated[bool, typer.Option(help="Only export the target as it is now.")] = False,
    fresh: Annotated[bool, typer.Option(help="Forget earlier checkpoints.")] = False,
    each: Annotated[int, typer.Option(help="Evaluation questions of each kind.")] = 100,
    hardware: Annotated[str, typer.Option(help="For the card.")] = f"{os.cpu_count()} CPU cores",
) -> None:
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
    tokenizer = trained_tokenizer(work)
    make_plan = gpu_plan if device == "cuda" else Plan
    usual_target, usual_draft = _USUAL_TOKENS[device]
    target_plan = make_plan(int((target_tokens or usual_target) * 1e6))
    draft_plan = make_plan(int((draft_tokens or usual_draft) * 1e6))
    if snapshot:
        training = Training(TARGET, tokenizer, target_plan, work / "target", device=device)
        export(training.averaged_model(), tokenizer, out / "target")
        return
    if workers is None:
        workers = min(_MOST_WORKERS, (os.cpu_count() or 2) - 2) if device == "cuda" else 0
    train = partial(
        _trained,
        tokenizer=tokenizer,
        work=work,
        device=device,
        workers=workers,
        fuse=fuse,
        until_s=until_s,
    )
    try:
        target = train("target", TARGET, target_plan, start_from=start_from)
        export(target.averaged_model(), tokenizer, out / "target")
        draft = train("draft", DRAFT, draft_plan, teacher=target.averaged_model())
        export(draft.averaged_model(), tokenizer, out / "draft")
    except _TimeIsOver:
        print("Time is over. The same command, without --fresh, goes on from here.")
        raise typer.Exit(_GOES_ON) from None
    write_long_prompt(out)
    write_dialogues(out)
    quantize(out / "target", out / "target-gptq-int4")
    result = evaluate(out, each, Console(), device)
    write_card(out / "README.md", result, target.progress, draft.progress, hardware)


if __name__ == "__main__":
    typer.run(main)
