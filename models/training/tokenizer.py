"""Byte-level BPE of our own: any text round-trips, digits stay single, turns have their tokens, and
a word in capitals is split as the word is, so that upper case is a copy with an offset."""

import json
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

PAD, SYSTEM, USER, ASSISTANT, END = SPECIAL_TOKENS = (
    "<|pad|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
)
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] not in ['system', 'user', 'assistant'] -%}"
    "{{- raise_exception('Roles are system, user and assistant, not ' + message['role']) -}}"
    "{%- endif -%}"
    "{{- '<|' + message['role'] + '|>' + message['content'] | trim + '<|end|>' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)
CONTEXT_TOKENS = 2048
Merge = tuple[str, str]

# How many of the merges are for capitals: whole words of them, and words that begin with one.
_SHOUTED_SHARE, _CAPITALIZED_SHARE = 0.28, 0.1
_SPACE = "Ġ"
_CAPITALS = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_CAPITALIZED = re.compile(r" ?[A-Z][a-z]+")


def shouted(piece: str) -> str:
    """A piece with its letters in capitals; the mark of a space stays."""
    return piece.translate(_CAPITALS)


def train_tokenizer(texts: Iterable[str], answers: Iterable[str], vocab_size: int) -> Tokenizer:
    """A byte-level BPE with all 256 bytes in its alphabet, so that nothing is ever unknown.

    Its merges are of three kinds. Those of what is not a capital are learned first. Then come their
    mirrors in capitals, for the pieces that `answers` in upper case (and acronyms in `texts`) need
    most: as they are in the same order, "CACHE" is split where "cache" is. At last a capital is
    joined with what follows it, for the most frequent words that begin with one. No merge of one
    kind can come before one of another, so the kinds do not disturb each other, and the finished
    tokenizer needs no rule but the usual ones, which every engine knows.
    """
    texts = list(texts)
    shouts = [shouted(answer) for answer in answers]
    room = max(0, vocab_size - len(SPECIAL_TOKENS) - len(pre_tokenizers.ByteLevel.alphabet()))
    for_shouts, for_capitals = int(_SHOUTED_SHARE * room), int(_CAPITALIZED_SHARE * room)
    small = _learned(texts, room - for_shouts - for_capitals)
    big = _mirrored(small, chain(shouts, texts), for_shouts)
    capitalized = _capitalized([*small, *big], texts, for_capitals)
    return _tokenizer([*small, *big, *capitalized])


def _learned(texts: Iterable[str], count: int) -> list[Merge]:
    """The merges of everything but capitals, the most frequent first."""
    tokenizer = _tokenizer([])
    apart = pre_tokenizers.Split(Regex(r"\p{Lu}"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([apart, tokenizer.pre_tokenizer])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(SPECIAL_TOKENS) + len(alphabet) + count,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _merges(tokenizer)


def _mirrored(small: Sequence[Merge], texts: Iterable[str], count: int) -> list[Merge]:
    """`count` of the merges in capitals, in their order: those of the pieces that are most frequent
    in `texts`, and those that lead to them."""
    mirrors = {
        shouted(a + b): (shouted(a), shouted(b))
        for a, b in small
        if shouted(a + b) != a + b and (a + b).removeprefix(_SPACE).isalpha()
    }
    every = _tokenizer([*small, *mirrors.values()])
    counts = Counter(
        piece for encoding in every.encode_batch(list(texts)) for piece in encoding.tokens
    )
    wanted: dict[str, None] = {}
    for piece, _ in counts.most_common():
        with_parts = [part for part in _parts(piece, mirrors) if part not in wanted]
        if len(wanted) + len(with_parts) <= count:
            wanted |= dict.fromkeys(with_parts)
    return [merge for piece, merge in mirrors.items() if piece in wanted]


def _parts(piece: str, merges: dict[str, Merge]) -> list[str]:
    """The piece and all pieces that it is put together from, single characters left out."""
    if piece not in merges:
        return []
    return [piece, *(part for half in merges[piece] for part in _parts(half, merges))]


def _capitalized(merges: Sequence[Merge], texts: Iterable[str], count: int) -> list[Merge]:
    """`count` merges of a capital, with or without a space before it, and what follows it."""
    words = Counter(word for text in texts for word in _CAPITALIZED.findall(text))
    spaced = [(_SPACE, capital) for capital in string.ascii_uppercase]
    missing = [merge for merge in spaced if merge not in set(merges)][:count]
    split = _tokenizer([*merges, *missing])
    rest = {word: split.encode(word).tokens for word in words}
    learned = missing
    while len(learned) < count:
        pairs = Counter[Merge]()
        for word, pieces in rest.items():
            if len(pieces) > 1:
                pairs[pieces[0], pieces[1]] += words[word]
        if not pairs:
            break
        ((merge, _),) = pairs.most_common(1)
        learned.append(merge)
        for pieces in rest.values():
            if tuple(pieces[:2]) == merge:
                pieces[:2] = ["".join(merge)]
    return learned


def _tokenizer(merges: Sequence[Merge]) -> Tokenizer:
    pieces = chain(
        SPECIAL_TOKENS, sorted(pre_tokenizers.ByteLevel.alphabet()), (a + b for a, b in merges)
    )
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocabulary, list(merges)))
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    digits = pre_tokenizers.Digits(individual_digits=True)
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, words])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _merges(tokenizer: Tokenizer) -> list[Merge]:
    state = json.loads(tokenizer.to_str())
    return [tuple(merge) for merge in state["model"]["merges"]]


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write it in the layout that `AutoTokenizer` reads, chat template included."""
    # Only here: who only encodes need not load it.
    from transformers import PreTrainedTokenizerFast

    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        extra_special_tokens=[SYSTEM, USER, ASSISTANT],
        model_max_length=CONTEXT_TOKENS,
        clean_up_tokenization_spaces=False,
    )
    wrapped.chat_template = CHAT_TEMPLATE
    wrapped.save_pretrained(folder)
