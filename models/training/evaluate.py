"""How good a model is: right answers by kind, endings, loops, losses, and how often the target
accepts what the draft guesses. `python -m models.training.evaluate` prints the table."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from models.training.batches import max_chars
from models.training.dialogues import conversation
from models.training.questions import Question, generated_questions, hand_written_questions

_BUNDLED = Path(__file__).parents[1] / "bundled"
_MAX_NEW_TOKENS = 200


@dataclass(frozen=True)
class Answer:
    question: Question
    text: str
    ended: bool
    loops: bool

    @property
    def right(self) -> bool:
        return self.question.is_answered_by(self.text)


@dataclass(frozen=True)
class Row:
    """One line of the evaluation table."""

    kind: str
    asked: int
    right: int
    ended: int
    misses: tuple[str, ...]


def answer(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, question: Question
) -> Answer:
    """The model's greedy answer."""
    inputs = tokenizer.apply_chat_template(
        list(question.messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    prompt_tokens = inputs["input_ids"].shape[1]
    output = model.generate(**inputs, do_sample=False, max_new_tokens=_MAX_NEW_TOKENS)
    ids = output[0, prompt_tokens:].tolist()
    ended = ids[-1] == tokenizer.eos_token_id
    return Answer(
        question, str(tokenizer.decode(ids, skip_special_tokens=True)), ended, _loops(ids)
    )


def _loops(ids: list[int], span: int = 12, times: int = 3) -> bool:
    """Whether the answer ends in one span of tokens said again and again."""
    return any(
        len(ids) > length * times and ids[-length * times :] == ids[-length:] * times
        for length in range(1, span + 1)
    )


def table(answers: list[Answer]) -> list[Row]:
    rows = []
    for kind in dict.fromkeys(answer.question.kind for answer in answers):
        of_kind = [answer for answer in answers if answer.question.kind == kind]
        misses = tuple(
            f"{a.question.messages[-1]['content'][-80:]} -> {a.text[:160]}"
            for a in of_kind
            if not a.right
        )
        right, ended = sum(a.right for a in of_kind), sum(a.ended for a in of_kind)
        rows.append(Row(kind, len(of_kind), right, ended, misses))
    return rows


def acceptance(
    target: PreTrainedModel,
    draft: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    answers: list[Answer],
) -> float:
    """Share of the target's greedy tokens that the draft would guess from the same text before."""
    agreed = made = 0
    for given in answers:
        messages = [*given.question.messages, {"role": "assistant", "content": given.text}]
        ids = tokenizer.apply_chat_template(messages, return_tensors="pt", return_dict=False)
        prompt = tokenizer.apply_chat_template(
            list(given.question.messages), add_generation_prompt=True, return_dict=False
        )
        with torch.no_grad():
            guessed = draft(ids).logits[0, len(prompt) - 1 : -1].argmax(-1)
            chosen = target(ids).logits[0, len(prompt) - 1 : -1].argmax(-1)
        agreed += int((guessed == chosen).sum())
        made += len(chosen)
    return agreed / made


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
            logits = model(torch.tensor([ids])).logits[0, :-1].float()
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none")
        chosen = torch.tensor(answers[1:])
        total += float(losses[chosen].sum())
        tokens += float(chosen.sum())
    return total / tokens


@dataclass(frozen=True)
class Evaluation:
    """All that the model card says of quality. Losses are in nats per answer token."""

    rows: tuple[Row, ...]
    loops: int
    target_loss: float
    draft_loss: float
    draft_acceptance: float
    acceptance_by_kind: dict[str, float]


def evaluate(bundled: Path, each: int) -> Evaluation:
    """Ask everything, greedy, in fp32."""
    tokenizer = AutoTokenizer.from_pretrained(bundled / "target")
    target, draft = (
        AutoModelForCausalLM.from_pretrained(bundled / name, dtype=torch.float32).eval()
        for name in ("target", "draft")
    )
    questions = [*generated_questions(each), *hand_written_questions()]
    answers = [answer(target, tokenizer, question) for question in questions]
    rows = table(answers)
    by_kind = {
        row.kind: acceptance(
            target, draft, tokenizer, [a for a in answers if a.question.kind == row.kind][:10]
        )
        for row in rows
    }
    return Evaluation(
        rows=tuple(rows),
        loops=sum(a.loops for a in answers),
        target_loss=held_out_loss(target, tokenizer),
        draft_loss=held_out_loss(draft, tokenizer),
        draft_acceptance=acceptance(target, draft, tokenizer, answers[::4]),
        acceptance_by_kind=by_kind,
    )


def main(
    bundled: Annotated[Path, typer.Option(help="Folder with target and draft.")] = _BUNDLED,
    each: Annotated[int, typer.Option(help="Questions of each kind.")] = 20,
    misses: Annotated[bool, typer.Option(help="Print every miss.")] = False,
) -> None:
    console = Console()
    result = evaluate(bundled, each)
    shown = Table("kind", "right", "asked", "ended", "draft accepted")
    for row in result.rows:
        accepted = f"{result.acceptance_by_kind[row.kind]:.2f}"
        shown.add_row(row.kind, str(row.right), str(row.asked), str(row.ended), accepted)
    console.print(shown)
    console.print(
        f"loops {result.loops}, held-out loss: target {result.target_loss:.3f}, draft "
        f"{result.draft_loss:.3f}; draft acceptance {result.draft_acceptance:.2f}"
    )
    for row in result.rows if misses else ():
        for miss in row.misses:
            console.print(f"{row.kind}: {miss}", markup=False)


if __name__ == "__main__":
    typer.run(main)
