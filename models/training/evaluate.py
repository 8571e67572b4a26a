"""How good a model is: right answers to held-out wordings, kind by kind, and to questions written
by hand; losses, loops, endings, and how often the target accepts what the draft guesses."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from models.training.batches import max_chars
from models.training.dialogues import Message, ask, conversation
from models.training.intents import geography, inference, lists, memory, notes, smalltalk, stories
from models.training.intents.base import Intent, State, Turn
from models.training.wording import Split

_FOLDER = Path(__file__).parent
_MAX_NEW_TOKENS = 200
_QUESTIONS = _FOLDER / "questions.jsonl"


@dataclass(frozen=True)
class Question:
    """Messages that end in a user's turn. `keys` must all be in a right answer; where `any_key`,
    one of them is enough."""

    kind: str
    messages: tuple[Message, ...]
    keys: tuple[str, ...]
    any_key: bool = False

    def is_answered_by(self, answer: str) -> bool:
        held = [key.lower() in answer.lower() for key in self.keys]
        return any(held) if self.any_key else all(held)


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


def generated_questions(each: int, split: Split = "held_out", seed: int = 99) -> list[Question]:
    """`each` questions of every kind, in wordings that training has not seen."""
    plans: dict[str, tuple[Sequence[Intent], Intent]] = {
        "terms": ((), inference.define),
        "whys": ((), inference.why),
        "comparisons": ((), inference.compare),
        "capitals": ((), geography.capital),
        "countries of capitals": ((), geography.country_of_capital),
        "unknown capitals": ((), geography.unknown_capital),
        "names over turns": ((memory.tell_name,), memory.ask_name),
        "name not told": ((), memory.ask_name),
        "cities over turns": ((memory.tell_city,), memory.ask_city),
        "city not told": ((), memory.ask_city),
        "favourites over turns": ((memory.tell_favourite,), memory.ask_favourite),
        "counting": ((), lists.count),
        "whole lists": ((), lists.whole_list),
        "short lists": ((), lists.some_of),
        "small talk": ((), smalltalk.small_talk),
        "who are you": ((), smalltalk.who_are_you),
        "repeats": ((inference.define,), smalltalk.repeat),
        "shortens": ((inference.define,), smalltalk.shorten),
        "off topic": ((), smalltalk.off_topic),
        "stories with their wish": ((), stories.story),
        "short notes": ((), notes.short_notes),
        "long notes": ((), _long_notes),
    }
    return [
        _question(kind, before, asked, random.Random(f"{seed}:{kind}:{n}"), split)
        for kind, (before, asked) in plans.items()
        for n in range(each)
    ]


def _long_notes(rng: random.Random, state: State, split: Split) -> Turn:
    return notes.long_notes(rng, state, split, notes_chars=rng.randint(1000, 3000))


def _question(
    kind: str, before: Sequence[Intent], asked: Intent, rng: random.Random, split: Split
) -> Question:
    state = State()
    turns = [ask(intent, rng, state, split) for intent in before]
    if "over turns" in kind:
        between: tuple[Intent, ...] = (inference.define, geography.capital, smalltalk.small_talk)
        turns += [ask(rng.choice(between), rng, state, split) for _ in range(rng.randint(1, 3))]
        if asked is memory.ask_favourite:
            rng = _first_asking_for(state, rng)
    last = ask(asked, rng, state, split)
    messages = []
    for turn in turns:
        messages.append({"role": "user", "content": turn.user})
        messages.append({"role": "assistant", "content": turn.assistant})
    messages.append({"role": "user", "content": last.user})
    return Question(kind, tuple(messages), last.keys)


def _first_asking_for(state: State, rng: random.Random) -> random.Random:
    """A generator with which the next question is about a favourite that was told."""
    while True:
        seed = rng.random()
        trial = State(favourites=dict(state.favourites))
        if memory.ask_favourite(random.Random(seed), trial, "held_out").kind == "favourites":
            return random.Random(seed)


def hand_written_questions(path: Path = _QUESTIONS) -> list[Question]:
    """Questions as people would ask them; the generator never reads them."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    questions = []
    for row in rows:
        messages: list[Message] = []
        for number, text in enumerate(row["said"]):
            messages.append({"role": "assistant" if number % 2 else "user", "content": text})
        questions.append(
            Question("hand-written", tuple(messages), tuple(row["keys"]), any_key=True)
        )
    return questions


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


def load(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def tokenizer_of(folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder)
