"""How good a model is: right answers by kind, endings, loops, losses, and how often the target
accepts what the draft guesses. `python -m models.training.evaluate` prints the table."""

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from scipy.stats import binomtest
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from app.bench.benchmarks.records import BenchmarkRecord, Target, exit_code, json_line
from app.bench.benchmarks.table import show
from models.training.acceptance import acceptance
from models.training.answers import Answer, ask_all
from models.training.batches import max_chars
from models.training.dialogues import conversation
from models.training.long_talk import long_talks
from models.training.questions import (
    OFF_TOPIC,
    REQUIRED_95,
    STORIES,
    generated_questions,
    hand_written_questions,
)

_BUNDLED = Path(__file__).parents[1] / "bundled"
_HAND_WRITTEN = "hand-written"
_DRAFTED_OF_EACH_KIND = 10
_BARS = dict.fromkeys(REQUIRED_95, 0.95) | {OFF_TOPIC: 0.85, STORIES: 0.90}


@dataclass(frozen=True)
class Row:
    """One kind of question. `acceptance` is of the draft's guesses in some of its answers."""

    kind: str
    asked: int
    right: int
    ended: int
    acceptance: float
    misses: tuple[str, ...]

    @property
    def is_hand_written(self) -> bool:
        return self.kind.startswith(_HAND_WRITTEN)


@dataclass(frozen=True)
class Evaluation:
    """All that the model card says of quality. Losses are in nats per answer token."""

    rows: tuple[Row, ...]
    loops: int
    target_loss: float
    draft_loss: float
    acceptance: float
    target_bytes: int

    @property
    def asked(self) -> int:
        return sum(row.asked for row in self.rows)


def evaluate(bundled: Path, each: int, console: Console, device: str = "cpu") -> Evaluation:
    """Ask `each` questions of every kind and those written by hand; greedy, in fp32."""
    tokenizer = AutoTokenizer.from_pretrained(bundled / "target")
    target, draft = (
        AutoModelForCausalLM.from_pretrained(bundled / name, dtype=torch.float32).to(device).eval()
        for name in ("target", "draft")
    )
    far = long_talks(each, lambda said: len(tokenizer.apply_chat_template(said, return_dict=False)))
    questions = [*generated_questions(each), *far, *hand_written_questions()]
    with console.status(f"Asking {len(questions)} questions"):
        answers = ask_all(target, tokenizer, questions)
    with console.status("Letting the draft guess"):
        rows = rows_of(answers, draft)
        sample = [a for row in rows for a in _of_kind(answers, row.kind)[:_DRAFTED_OF_EACH_KIND]]
        accepted = acceptance(draft, sample)
    with console.status("Reading held-out conversations"):
        losses = [held_out_loss(model, tokenizer) for model in (target, draft)]
    return Evaluation(
        rows=tuple(rows),
        loops=sum(answer.loops for answer in answers),
        target_loss=losses[0],
        draft_loss=losses[1],
        acceptance=accepted,
        target_bytes=(bundled / "target" / "model.safetensors").stat().st_size,
    )


def _of_kind(answers: Sequence[Answer], kind: str) -> list[Answer]:
    return [answer for answer in answers if answer.question.kind == kind]


def rows_of(answers: Sequence[Answer], draft: PreTrainedModel | None) -> list[Row]:
    """One row a kind, in the order in which they were asked."""
    rows = []
    for kind in dict.fromkeys(answer.question.kind for answer in answers):
        mine = _of_kind(answers, kind)
        rows.append(
            Row(
                kind=kind,
                asked=len(mine),
                right=sum(answer.right for answer in mine),
                ended=sum(answer.ended for answer in mine),
                acceptance=acceptance(draft, mine[:_DRAFTED_OF_EACH_KIND]) if draft else math.nan,
                misses=tuple(
                    f"{a.question.messages[-1]['content'][-80:]} -> {a.text[:160]}"
                    for a in mine
                    if not a.right
                ),
            )
        )
    return rows


def held_out_loss(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, count: int = 200
) -> float:
    """Mean loss in nats per answer token over conversations in held-out wordings."""
    total = tokens = 0.0
    for number in range(count):
        said = conversation(random.Random(number), "held_out", max_chars(256))
        ids: list[int] = []
        answers: list[bool] = []
        for message in said.messages():
            piece = tokenizer.apply_chat_template([message], return_dict=False)
            ids += piece
            answers += [False] + [message["role"] == "assistant"] * (len(piece) - 1)
        with torch.no_grad():
            read = model(torch.tensor([ids], device=model.device))
        logits = read.logits[0, :-1].float().cpu()
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none")
        chosen = torch.tensor(answers[1:])
        total += float(losses[chosen].sum())
        tokens += float(chosen.sum())
    return total / tokens


def records(result: Evaluation) -> list[BenchmarkRecord]:
    """The evaluation as benchmark records: one a kind, then what is said of all of them."""
    generated = [row for row in result.rows if not row.is_hand_written]
    by_hand = [row for row in result.rows if row.is_hand_written]
    required = [row for row in generated if row.kind in REQUIRED_95]
    stories = [row for row in generated if row.kind == STORIES]
    made = [_accuracy(row) for row in result.rows]
    if required:
        worst = min(required, key=lambda row: row.right / row.asked)
        made.append(
            _share("accuracy_min", 0.95, worst.right, worst.asked, f"the worst is {worst.kind}")
        )
    if by_hand:
        right, asked = sum(row.right for row in by_hand), sum(row.asked for row in by_hand)
        made.append(_share("hand_written", None, right, asked))
    if stories:
        ended, asked = sum(row.ended for row in stories), sum(row.asked for row in stories)
        made.append(_share("stories_ended", 0.98, ended, asked))
    made.append(_share("free_of_loops", 0.99, result.asked - result.loops, result.asked))
    drafted = Target("draft_acceptance", "share", "higher", bar=0.75)
    made.append(drafted.measured(result.acceptance, n=result.asked))
    for name, loss in (("target", result.target_loss), ("draft", result.draft_loss)):
        perplexity = Target(f"{name}_perplexity", "1", "lower")
        made.append(perplexity.measured(math.exp(loss), n=200))
    size = Target("target_mb", "MB", "lower", bar=40.0)
    made.append(size.measured(result.target_bytes / 1e6, n=1))
    return made


def _accuracy(row: Row) -> BenchmarkRecord:
    name = "accuracy_" + "".join(c if c.isalnum() else "_" for c in row.kind.lower())
    note = "" if math.isnan(row.acceptance) else f"draft acceptance {row.acceptance:.2f}"
    return _share(name, _BARS.get(row.kind), row.right, row.asked, note)


def _share(name: str, bar: float | None, right: int, asked: int, note: str = "") -> BenchmarkRecord:
    """A share with its Wilson interval. The bar is for the share: which questions are asked is
    fixed, so asking them again gives the same."""
    interval = binomtest(right, asked).proportion_ci(method="wilson")
    around = f"{interval.low:.3f} to {interval.high:.3f} for other questions of the kind"
    target = Target(name, "share", "higher", bar=bar)
    return target.measured(right / asked, n=asked, reason="; ".join(filter(None, (note, around))))


def main(
    bundled: Annotated[Path, typer.Option(help="Folder with target and draft.")] = _BUNDLED,
    each: Annotated[int, typer.Option(help="Questions of each kind.")] = 100,
    misses: Annotated[bool, typer.Option(help="Print every miss.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Records on the last line.")] = False,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves it to torch.")] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    if threads:
        torch.set_num_threads(threads)
    console = Console()
    result = evaluate(bundled, each, console, device)
    made = records(result)
    show(made, console)
    for row in result.rows if misses else ():
        for miss in row.misses:
            console.print(f"{row.kind}: {miss}", markup=False)
    if as_json:
        print(json_line(made), flush=True)
    sys.exit(exit_code(made))


if __name__ == "__main__":
    typer.run(main)
