"""Asking a model many questions at once, and judging what it says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from models.training.questions import Question

_MAX_NEW_TOKENS = 200
# Cells of one batch. A GPU takes as long for a step of few rows as for one of hundreds.
_BATCH_TOKENS = {"cpu": 8192, "cuda": 262_144}


@dataclass(frozen=True)
class Answer:
    """A greedy answer, made from `prompt_ids`; `ids` are its own, the end included."""

    question: Question
    text: str
    prompt_ids: tuple[int, ...]
    ids: tuple[int, ...]
    ended: bool

    @property
    def right(self) -> bool:
        return self.question.is_answered_by(self.text)

    @property
    def loops(self) -> bool:
        return ends_in_a_loop(self.ids)


def ask_all(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, questions: Sequence[Question]
) -> list[Answer]:
    """Greedy answers in the order of the questions; those of like length are asked together."""
    prompts = [_prompt(tokenizer, question) for question in questions]
    answers: dict[int, Answer] = {}
    room = _BATCH_TOKENS[model.device.type]
    for group in _groups([len(prompt) for prompt in prompts], room):
        outputs = _generate(model, tokenizer, [prompts[index] for index in group])
        for index, ids in zip(group, outputs, strict=True):
            text = str(tokenizer.decode(ids, skip_special_tokens=True))
            ended = ids[-1] == tokenizer.eos_token_id
            prompt = tuple(prompts[index])
            answers[index] = Answer(questions[index], text, prompt, tuple(ids), ended)
    return [answers[index] for index in range(len(questions))]


def _prompt(tokenizer: PreTrainedTokenizerBase, question: Question) -> list[int]:
    ids: list[int] = tokenizer.apply_chat_template(
        list(question.messages), add_generation_prompt=True, return_dict=False
    )
    return ids


def _groups(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of prompts, shortest first, as many together as fit into `batch_tokens` cells."""
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if group and (len(group) + 1) * (lengths[index] + _MAX_NEW_TOKENS) > batch_tokens:
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def _generate(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[list[int]]
) -> list[list[int]]:
    """Ids of each answer, up to and with the end-of-turn token if there is one."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[tokenizer.pad_token_id] * (longest - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    output = model.generate(
        ids.to(model.device),
        attention_mask=mask.to(model.device),
        do_sample=False,
        max_new_tokens=_MAX_NEW_TOKENS,
    )
    return [_cut(row, tokenizer.eos_token_id) for row in output[:, longest:].tolist()]


def _cut(ids: list[int], end: int) -> list[int]:
    return ids[: ids.index(end) + 1] if end in ids else ids


def ends_in_a_loop(ids: Sequence[int], span: int = 12, times: int = 3) -> bool:
    """Whether the answer ends in one span of tokens said again and again."""
    tail = list(ids)
    return any(
        len(tail) > length * times and tail[-length * times :] == tail[-length:] * times
        for length in range(1, span + 1)
    )
