"""Conversations as token rows: encoded, weighted, grouped by length against padding."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from models.training.dialogues import Conversation, Message
from models.training.tokenizer import END

# What users type is mostly noise to learn: it does not count in the loss, nor cost time there.
USER_WEIGHT = 0.0
# An answer of this length has weight 1 a token. Shorter ones have more, by the square root: a name
# that must be remembered is two tokens, a story a hundred.
_TYPICAL_ANSWER_TOKENS = 30
# The last two tokens of an answer count more: where to stop is one decision in a long answer.
_ENDING_FACTOR = 4.0
_CHARS_PER_TOKEN = 3.3
# Rows are padded to a multiple of this: kernels like it.
_LENGTH_STEP = 32
# The longest row of a batch may be this much longer than the shortest, and one step more.
_SIMILAR = 1.1


@dataclass(frozen=True)
class Encoded:
    """One conversation: token ids, and how much predicting each of them counts."""

    ids: list[int]
    weights: list[float]


@dataclass(frozen=True)
class Batch:
    """One conversation a row, padded at the end with weight 0. Both are [B, T]; `tokens` is their
    number without padding."""

    token_ids: torch.Tensor
    weight: torch.Tensor
    tokens: int

    def to(self, device: torch.device) -> "Batch":
        return Batch(self.token_ids.to(device), self.weight.to(device), self.tokens)


def max_chars(row_tokens: int) -> int:
    """How long a conversation may be to fit about `row_tokens`."""
    return int(row_tokens * _CHARS_PER_TOKEN)


def render(messages: list[Message]) -> list[tuple[str, bool]]:
    """Pieces of the chat template's text, each with whether the assistant says it."""
    pieces = []
    for message in messages:
        said = message["role"] == "assistant"
        pieces.append((f"<|{message['role']}|>", False))
        pieces.append((message["content"].strip() + END, said))
    return pieces


def encode(
    tokenizer: Tokenizer, conversation: Conversation, user_weight: float = USER_WEIGHT
) -> Encoded:
    """The ids that the chat template gives; the first has weight 0, since nothing predicts it."""
    pieces = render(conversation.messages())
    turns = iter(conversation.turns)
    ids: list[int] = []
    weights: list[float] = []
    encodings = tokenizer.encode_batch_fast([text for text, _ in pieces])
    for encoding, (_, said) in zip(encodings, pieces, strict=True):
        ids += encoding.ids
        length = len(encoding.ids)
        is_learned = said and next(turns).is_learned
        weight = math.sqrt(_TYPICAL_ANSWER_TOKENS / length) if is_learned else user_weight
        weights += [weight] * length
        if is_learned:
            weights[-2:] = [weight * _ENDING_FACTOR] * 2
    return Encoded(ids, [0.0, *weights[1:]])


def grouped(conversations: Iterable[Encoded], max_batch_tokens: int) -> Iterator[Batch]:
    """Batches of at most `max_batch_tokens` cells, each of conversations of similar length."""
    group: list[Encoded] = []
    for encoded in sorted(conversations, key=lambda e: len(e.ids)):
        full = (len(group) + 1) * len(encoded.ids) > max_batch_tokens
        if group and (full or len(encoded.ids) > _SIMILAR * len(group[0].ids) + _LENGTH_STEP):
            yield _padded(group)
            group = []
        group.append(encoded)
    if group:
        yield _padded(group)


def _padded(group: list[Encoded]) -> Batch:
    longest = max(len(encoded.ids) for encoded in group)
    shape = (len(group), -(-longest // _LENGTH_STEP) * _LENGTH_STEP)
    token_ids = torch.zeros(shape, dtype=torch.long)
    weight = torch.zeros(shape)
    for row, encoded in enumerate(group):
        token_ids[row, : len(encoded.ids)] = torch.tensor(encoded.ids)
        weight[row, : len(encoded.ids)] = torch.tensor(encoded.weights)
    return Batch(token_ids, weight, sum(len(encoded.ids) for encoded in group))
