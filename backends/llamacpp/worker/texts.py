"""Text to token ids and back: by the checkpoint's own tokenizer where the GGUF was written here, by
that inside the file where it was not."""

from __future__ import annotations

import codecs
import ctypes
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import llama_cpp
from llama_cpp.llama_chat_format import Jinja2ChatFormatter
from tokenizers.decoders import DecodeStream

from backends.errors import GenerationFailed
from backends.local.weight_files import configuration
from backends.local.worker.checkpoint import open_tokenizer
from backends.request import Message, Sampling
from backends.setup import History
from backends.turns import turns_to_send
from backends.worker.prompts import PLAIN_TEMPLATE, prompt_ids, refused_by_template

Decoder = Callable[[int], str | None]
_PIECE_BYTES = 1_024
_CONFIGURATIONS = ("generation_config.json", "config.json")


class Texts(Protocol):
    """A model's way with text. `is_plain`: it has no chat template of its own."""

    is_plain: bool

    @property
    def end_token_ids(self) -> tuple[int, ...]: ...

    def prompt_ids(
        self, history: History, messages: Sequence[Message], sampling: Sampling
    ) -> list[int]: ...

    def text_ids(self, text: str, *, is_begun: bool) -> list[int]:
        """Plain text, with what the tokenizer puts before a text unless it `is_begun`."""
        ...

    def decoder(self) -> Decoder:
        """For one answer: the text that each token completes; control tokens have none."""
        ...

    def tokens(self) -> list[str]:
        """Every token's text, by id: equal lists are one vocabulary."""
        ...


class CheckpointTexts:
    """The tokenizer and the template in a checkpoint's folder, as the local backend reads them."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer: Any = open_tokenizer(folder)
        self.is_plain = self._tokenizer.chat_template is None
        if self.is_plain:
            self._tokenizer.chat_template = PLAIN_TEMPLATE
        self.end_token_ids = _end_token_ids(folder, self._tokenizer)

    def prompt_ids(
        self, history: History, messages: Sequence[Message], sampling: Sampling
    ) -> list[int]:
        return prompt_ids(self._tokenizer, history, messages, sampling, is_plain=self.is_plain)

    def text_ids(self, text: str, *, is_begun: bool) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=not is_begun)["input_ids"]
        return ids

    def decoder(self) -> Decoder:
        step = DecodeStream(skip_special_tokens=True).step
        return functools.partial(step, self._tokenizer.backend_tokenizer)

    def tokens(self) -> list[str]:
        vocabulary = self._tokenizer.get_vocab()
        return sorted(vocabulary, key=vocabulary.__getitem__)


def _end_token_ids(folder: Path, tokenizer: Any) -> tuple[int, ...]:
    """Every token that the checkpoint says ends an answer, from all places where it may say so."""
    told = [
        *(configuration(folder, name).get("eos_token_id") for name in _CONFIGURATIONS),
        tokenizer.eos_token_id,
    ]
    ids = (id_ for one in told for id_ in (one if isinstance(one, list) else [one]))
    return tuple(dict.fromkeys(id_ for id_ in ids if id_ is not None))


class GgufTexts:
    """The tokenizer and the template in a GGUF file, as llama.cpp reads them."""

    def __init__(self, model: Any) -> None:
        self._vocab = llama_cpp.llama_model_get_vocab(model)
        template = llama_cpp.llama_model_chat_template(model, None)
        self.is_plain = template is None
        self._size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.end_token_ids = tuple(
            token for token in range(self._size) if llama_cpp.llama_vocab_is_eog(self._vocab, token)
        )
        self._format = Jinja2ChatFormatter(
            template=template.decode() if template else PLAIN_TEMPLATE,
            eos_token=self._token_text(llama_cpp.llama_vocab_eos(self._vocab)),
            bos_token=self._token_text(llama_cpp.llama_vocab_bos(self._vocab)),
        )

    def prompt_ids(
        self, history: History, messages: Sequence[Message], sampling: Sampling
    ) -> list[int]:
        turns: Any = [turn.model_dump() for turn in turns_to_send(history, messages, sampling)]
        try:
            text = self._format(messages=turns).prompt
        except Exception as error:
            raise refused_by_template(error) from error
        return self._ids(text, is_begun=not self.is_plain, has_control_tokens=True)

    def text_ids(self, text: str, *, is_begun: bool) -> list[int]:
        return self._ids(text, is_begun=is_begun, has_control_tokens=False)

    def _ids(self, text: str, *, is_begun: bool, has_control_tokens: bool) -> list[int]:
        encoded = text.encode()
        room = len(encoded) + 8  # no token is shorter than a byte; beginning and end may be added
        ids = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(
            self._vocab, encoded, len(encoded), ids, room, not is_begun, has_control_tokens
        )
        if count < 0:
            raise GenerationFailed("llama.cpp could not tokenize the text.", "Shorten it.")
        return list(ids[:count])

    def decoder(self) -> Decoder:
        text_of = codecs.getincrementaldecoder("utf-8")(errors="replace")
        return lambda token: text_of.decode(self._piece(token)) or None

    def tokens(self) -> list[str]:
        return [self._token_text(token) for token in range(self._size)]

    def _piece(self, token: int) -> bytes:
        piece = ctypes.create_string_buffer(_PIECE_BYTES)
        length = llama_cpp.llama_token_to_piece(self._vocab, token, piece, len(piece), 0, False)
        return piece.raw[: max(0, length)]

    def _token_text(self, token: int) -> str:
        if token < 0:
            return ""
        return (llama_cpp.llama_vocab_get_text(self._vocab, token) or b"").decode()
