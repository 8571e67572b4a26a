"""Any text survives the tokenizer, and turns are told apart by tokens that text cannot lose."""

import json
import random

import pytest
from tokenizers import pre_tokenizers
from transformers import PreTrainedTokenizerBase

from models.training.batches import encode
from models.training.dialogues import conversation
from models.training.tokenizer import SPECIAL_TOKENS, shouted, train_tokenizer

TEXTS = [
    "What is the KV cache?",
    "",
    "  two  spaces, a tab\tand\r\nlines\n",
    "emoji 🦊👩‍👩‍👧‍👦🇳🇴 and 中文,日本語, العربية, Ωμέγα",
    "control \x00\x01\x1b[31m\x7f and \u200b zero width",
    "3.14159 1,000,000 <|no such token|>",
    "".join(map(chr, range(32, 0x2FF))),
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_round_trips(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(ids) == text


def test_random_unicode_round_trips(tokenizer: PreTrainedTokenizerBase) -> None:
    rng = random.Random(0)
    for _ in range(50):
        codes = (
            rng.choice((rng.randrange(0xD800), rng.randrange(0xE000, 0x110000))) for _ in "abcdefgh"
        )
        text = "".join(map(chr, codes))
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_a_word_in_capitals_is_split_as_the_word_is() -> None:
    said = ["The caches of the models hold keys.", "KV caching saves work, say the authors."]
    trained = train_tokenizer(said * 9, said, 420)
    for word in (" caches", "caching", " models", " authors", " worker"):
        small, big = trained.encode(word).tokens, trained.encode(word.upper()).tokens
        assert big == [shouted(piece) for piece in small]
    assert len(trained.encode(" THE").tokens) == 1


def test_a_word_that_begins_with_a_capital_can_be_one_piece() -> None:
    said = ["What is it? What now? The cache.", "Tell me: What is the cache?"]
    trained = train_tokenizer(said * 9, said, 900)
    assert trained.encode("What").tokens == ["What"]
    assert trained.encode("Tell me").tokens[0] == "Tell"


def test_merges_are_in_an_order_that_every_engine_follows() -> None:
    trained = train_tokenizer(["the cache, The Cache, THE CACHE"] * 9, ["The cache."], 400)
    model = json.loads(trained.to_str())["model"]
    known = {*SPECIAL_TOKENS, *pre_tokenizers.ByteLevel.alphabet()}
    for left, right in model["merges"]:
        assert {left, right} <= known
        known.add(left + right)
    assert known == set(model["vocab"])


def test_special_tokens_are_single_and_in_order(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS)) == list(range(len(SPECIAL_TOKENS)))
    assert tokenizer.eos_token == "<|end|>"


def test_the_chat_template_renders_turns_and_opens_the_answer(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": " Hi "},
    ]
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert text == "<|system|>Be brief.<|end|><|user|>Hi<|end|><|assistant|>"


def test_an_unknown_role_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(Exception, match="Roles are"):
        tokenizer.apply_chat_template([{"role": "tool", "content": "x"}], tokenize=False)


def test_training_encodes_what_the_chat_template_renders(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    for seed in range(20):
        said = conversation(random.Random(seed), "train", 800)
        rendered = tokenizer.apply_chat_template(said.messages(), return_dict=False)
        assert encode(tokenizer.backend_tokenizer, said).ids == rendered


def test_training_gives_all_bytes_and_the_wanted_size() -> None:
    texts = ["a few words", "and a few more words"]
    trained = train_tokenizer(texts, texts, 300)
    assert trained.get_vocab_size() <= 300
    assert trained.decode(trained.encode("ünseen 🦊").ids) == "ünseen 🦊"
