"""Everything from nothing: `python -m models.training.build`. Each part that is done is kept, and
an interrupted training goes on from its last checkpoint."""

import json
import math
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from models.training import learn
from models.training.card import write_card
from models.training.dialogue_file import write_dialogues
from models.training.evaluate import evaluate
from models.training.long_prompt import write_long_prompt
from models.training.quantize import quantize
from models.training.train import Progress


def _read_progress(work: Path) -> tuple[Progress, Progress]:
    """How far the two trainings went that were made elsewhere."""
    target, draft = (
        Progress(**json.loads((work / name / "progress.json").read_text(encoding="utf-8")))
        for name in ("target", "draft")
    )
    return target, draft


def main(
    work_dir: learn.WorkDir = None,
    out: learn.Out = learn.BUNDLED,
    target_tokens: learn.TargetTokens = None,
    draft_tokens: learn.DraftTokens = None,
    threads: learn.Threads = 1,
    device: learn.Device = learn.DEFAULT_DEVICE,
    workers: learn.Workers = None,
    minutes: learn.Minutes = math.inf,
    start_from: learn.StartFrom = None,
    fuse: learn.Fuse = False,
    fresh: learn.Fresh = False,
    learned: Annotated[
        bool,
        typer.Option(
            help="Both models were learned elsewhere: their files are in --out, and "
            "target/progress.json and draft/progress.json in --work-dir."
        ),
    ] = False,
    each: Annotated[int, typer.Option(help="Evaluation questions of each kind.")] = 100,
    hardware: Annotated[str, typer.Option(help="For the card.")] = f"{os.cpu_count()} CPU cores",
) -> None:
    if learned:
        target, draft = _read_progress(work_dir or learn.default_work_folder())
    else:
        target, draft = learn.main(
            work_dir=work_dir,
            out=out,
            target_tokens=target_tokens,
            draft_tokens=draft_tokens,
            threads=threads,
            device=device,
            workers=workers,
            minutes=minutes,
            start_from=start_from,
            fuse=fuse,
            fresh=fresh,
        )
    write_long_prompt(out)
    write_dialogues(out)
    quantize(out / "target", out / "target-gptq-int4")
    result = evaluate(out, each, Console(), device)
    write_card(out / "README.md", result, target, draft, hardware)


if __name__ == "__main__":
    typer.run(main)
