"""Short trainings at equal computing time, to choose the recipe before the long run:
`python -m models.training.trials`. Equal is the time of the processor, on one thread, so that two
trials may run at once and other work does not count."""

import json
import random
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch.nn import functional

from models.training.batches import max_chars, render
from models.training.dialogues import conversation
from models.training.learn import default_work_folder, trained_tokenizer
from models.training.plan import Length, Plan
from models.training.shapes import TARGET, Shape
from models.training.train import Training

_HELD_OUT = 150
# No decay: a trial ends by time. The running average of the weights stands in for it.
_PLAN = Plan(
    total_tokens=10**12,
    lengths=(Length(256, 1.0, 1.0),),
    step_tokens=(6_000, 6_000),
    average_decay=0.99,
)
VARIANTS: dict[str, tuple[Shape, Plan]] = {
    "as planned": (TARGET, _PLAN),
    "matrix lr 0.01": (TARGET, replace(_PLAN, matrix_lr=0.01)),
    "matrix lr 0.04": (TARGET, replace(_PLAN, matrix_lr=0.04)),
    "step of 12,000 tokens": (TARGET, replace(_PLAN, step_tokens=(12_000, 12_000))),
    "step of 3,000 tokens": (TARGET, replace(_PLAN, step_tokens=(3_000, 3_000))),
    "step of 3,000 tokens, matrix lr 0.04": (
        TARGET,
        replace(_PLAN, step_tokens=(3_000, 3_000), matrix_lr=0.04),
    ),
    "step of 1,500 tokens": (TARGET, replace(_PLAN, step_tokens=(1_500, 1_500))),
    "AdamW only, lr 2e-3": (TARGET, replace(_PLAN, muon=False, other_lr=2e-3)),
    "vocabulary of 2,048": (replace(TARGET, vocab_size=2048), _PLAN),
    "12 layers x 256, 768": (
        replace(TARGET, layers=12, hidden=256, intermediate=768, heads=4),
        _PLAN,
    ),
    "intermediate 768, vocabulary of 3,072": (
        replace(TARGET, intermediate=768, vocab_size=3072),
        _PLAN,
    ),
    "users' words weigh 0.05": (TARGET, replace(_PLAN, user_weight=0.05)),
}


def nats_per_character(training: Training) -> float:
    """Loss on held-out answers by character, so that vocabularies can be compared."""
    model = training.averaged_model()
    nats, characters = 0.0, 0
    for number in range(_HELD_OUT):
        said = conversation(random.Random(f"trial:{number}"), "held_out", max_chars(256))
        pieces = render(said.messages())
        ids: list[int] = []
        answers: list[bool] = []
        for text, is_answer in pieces:
            encoded = training.tokenizer.encode(text).ids
            ids += encoded
            answers += [is_answer] * len(encoded)
            characters += len(text) if is_answer else 0
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, :-1].float()
        losses = functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none")
        nats += float(losses[torch.tensor(answers[1:])].sum())
    return nats / characters


def run_trial(name: str, seconds: float, folder: Path) -> dict[str, object]:
    """Train one variant for so many seconds of one core; what came of it."""
    torch.set_num_threads(1)
    shape, plan = VARIANTS[name]
    tokenizer = trained_tokenizer(folder / f"vocabulary-{shape.vocab_size}", shape.vocab_size)
    training = Training(shape, tokenizer, plan, folder / "unused")
    curve = []
    started = time.process_time()
    spent = 0.0
    for quarter in range(1, 5):
        before = time.process_time()
        training.train_while(
            lambda limit=quarter * seconds / 4, before=before, spent=spent: (
                spent + time.process_time() - before < limit
            )
        )
        spent += time.process_time() - before
        curve.append(round(nats_per_character(training), 4))
    training.close()
    return {
        "variant": name,
        "parameters": shape.parameters(),
        "tokens": training.progress.tokens,
        "steps": training.progress.step,
        "nats_per_character": curve,
        "cpu_seconds": round(time.process_time() - started),
    }


def main(
    seconds: Annotated[float, typer.Option(help="Of one core, for each variant.")] = 300,
    at_once: Annotated[int, typer.Option(help="Trials that run together.")] = 2,
    only: Annotated[str, typer.Option(help="Variants between semicolons; all by default.")] = "",
    work_dir: Annotated[Path | None, typer.Option(help="Where tokenizers are kept.")] = None,
) -> None:
    folder = (work_dir or default_work_folder()) / "trials"
    names = [name.strip() for name in only.split(";")] if only else list(VARIANTS)
    for size in {VARIANTS[name][0].vocab_size for name in names}:
        trained_tokenizer(folder / f"vocabulary-{size}", size)
    table = Table(
        "variant", "parameters", "tokens", "steps", "nats per answer character, by quarter"
    )
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        for result in pool.map(run_trial, names, [seconds] * len(names), [folder] * len(names)):
            print(json.dumps(result), flush=True)
            table.add_row(*(str(value) for value in list(result.values())[:5]))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
