"""Conversations as token rows: encoded, weighted, grouped by length against padding."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.training.dialogues import Conversation, Message
from models.training.plan import USER_WEIGHT
from models.training.tokenizer import END

# An answer of this length has weight 1 a token. Shorter ones have more, by the square root: a name
# that must be remembered is two tokens, a story a hundred.
_TYPICAL_ANSWER_TOKENS = 30
# Whether to stop is decided after every sentence. These decisions count more, the going on as much
# as the end: where only the end did, answers stopped after a first sentence that was not the last.
_DECISION_FACTOR = 3.0
_SENTENCE_ENDS = (".", "!", "?")
# Of the longest, two in three then have 1,900 tokens or more; one in four is too long for the
# context and drawn anew.
_CHARS_PER_TOKEN = 3.5
# An answer is right by a few of its tokens: a name, a city, a number. Those of a key that is up to
# this share of the answer count more, as does the first token, which decides what kind of answer it
# is.
_KEY_SHARE = 0.5
_KEY_FACTOR = 3.0
# Rows are padded to a multiple of this: kernels like it.
_LENGTH_STEP = 8
# Of an answer that is drawn by chance, what is neither a key nor the end counts this much: nobody
# can foresee it, and its losses would drown what can be learned.
_FREE_FACTOR = 0.3
# The longest row of a batch may be this much longer than the shortest, and one step more.
_SIMILAR = 1.1


@dataclass(frozen=True)
class Encoded:
    """One conversation: token ids, and how much predicting each of them counts."""

    ids: list[int]
    weights: list[float]


@dataclass(frozen=True)
class Batch:
    """One conversation a row, padded at the end: `token_ids` [B, T]. What counts in the loss are
    the tokens at `places` of the flattened [B, T - 1] that have one before them, with their
    `weights`, both [N]. `lengths` [B] are the numbers of tokens without padding."""

    token_ids: NDArray[np.int64]
    places: NDArray[np.int64]
    weights: NDArray[np.float32]
    lengths: NDArray[np.int64]

    @property
    def tokens(self) -> int:
        return int(self.lengths.sum())

    def rows(self) -> NDArray[np.int64]:
        """In which row each place is, [N]."""
        return self.places // (self.token_ids.shape[1] - 1)


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
    sentence_ends = {tokenizer.token_to_id(mark) for mark in _SENTENCE_ENDS}
    ids: list[int] = []
    weights: list[float] = []
    encodings = tokenizer.encode_batch([text for text, _ in pieces])
    for encoding, (text, said) in zip(encodings, pieces, strict=True):
        ids += encoding.ids
        length = len(encoding.ids)
        turn = next(turns) if said else None
        if turn is None or not turn.is_learned:
            weights += [user_weight] * length
            continue
        weight = turn.counts * math.sqrt(_TYPICAL_ANSWER_TOKENS / length)
        decides = [False, *(number in sentence_ends for number in encoding.ids[:-1])]
        decides[0] = decides[-1] = True
        if turn.is_free:
            decides = [False] * (length - 1) + [True]
        other = _FREE_FACTOR if turn.is_free else 1.0
        in_key = _in_keys(text, turn.keys, encoding.offsets)
        weights += [
            weight * (_DECISION_FACTOR if decision else _KEY_FACTOR if key else other)
            for decision, key in zip(decides, in_key, strict=True)
        ]
    return Encoded(ids, [0.0, *weights[1:]])


def _in_keys(text: str, keys: Sequence[str], offsets: Sequence[tuple[int, int]]) -> Iterator[bool]:
    """Of each token, by its characters, whether it belongs to a short key of the answer."""
    spans = [
        found.span()
        for key in keys
        if len(key) <= _KEY_SHARE * len(text.removesuffix(END))
        for found in re.finditer(re.escape(key), text)
    ]
    for token_start, token_end in offsets:
        yield any(start < token_end and token_start < end for start, end in spans)


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
    token_ids = np.zeros(shape, np.int64)
    weights = np.zeros(shape, np.float32)
    for row, encoded in enumerate(group):
        token_ids[row, : len(encoded.ids)] = encoded.ids
        weights[row, : len(encoded.ids)] = encoded.weights
    predicted = weights[:, 1:].ravel()
    places = np.flatnonzero(predicted)
    return Batch(token_ids, places, predicted[places], np.array([len(e.ids) for e in group]))
