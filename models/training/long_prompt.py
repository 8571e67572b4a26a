"""One bundled user message of a set length in tokens, for comparing setups on a long context."""

import random
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from models.training import knowledge
from models.training.intents.notes import known_notes

PROMPT_TOKENS = 512
_TRIES = 5000
_QUESTION = "Now answer: What is the KV cache?"


def prompt_tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> int:
    """Tokens of the whole prompt as the chat template renders it, up to where the answer starts."""
    messages = [{"role": "user", "content": text}]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    return len(ids)


def long_prompt(tokenizer: PreTrainedTokenizerBase, seed: int = 5) -> str:
    """Notes and a question of `PROMPT_TOKENS` in all; the answer stands in the notes.

    Raises RuntimeError when no such message is found.
    """
    rng = random.Random(seed)
    answer = knowledge.terms()[0].definition
    others = [line for line in known_notes() if line != answer]
    for _ in range(_TRIES):
        rng.shuffle(others)
        lines: list[str] = []
        tokens = 0
        for line in others:
            lines.append(line)
            placed = [*lines[: len(lines) // 2], answer, *lines[len(lines) // 2 :]]
            text = " ".join(("Here are my notes:", *placed, _QUESTION))
            tokens = prompt_tokens(tokenizer, text)
            if tokens >= PROMPT_TOKENS:
                break
        if tokens == PROMPT_TOKENS:
            return text
    raise RuntimeError(f"no message of {PROMPT_TOKENS} tokens found in {_TRIES} tries")


def write_long_prompt(bundled: Path) -> None:
    """Write `long_prompt.txt` for the tokenizer that lies in `bundled/target`."""
    tokenizer = AutoTokenizer.from_pretrained(bundled / "target")
    (bundled / "long_prompt.txt").write_text(long_prompt(tokenizer), encoding="utf-8")
