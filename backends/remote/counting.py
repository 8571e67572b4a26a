"""Counts an answer's tokens where the server does not, with the tokenizer that the user names."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import hf_hub_download
from tokenizers import Tokenizer

from backends.catalog import resolve
from backends.errors import ModelNotFound

_FILE = "tokenizer.json"


def open_tokenizer(name: str) -> Tokenizer:
    """The tokenizer of a catalog model, a folder or a Hub id. Raises `ModelNotFound`."""
    source = resolve(name)
    try:
        folder = Path(source)
        path = folder / _FILE if folder.is_dir() else Path(hf_hub_download(source, _FILE))
        return Tokenizer.from_file(str(path))
    # The library raises plain exceptions for files that it cannot read.
    except Exception as error:
        raise ModelNotFound(
            f"No tokenizer of “{name}” can be read ({type(error).__name__}).",
            f"Name a model that has a {_FILE}, or leave the tokenizer empty.",
        ) from error


def count_text(tokenizer: Tokenizer, text: str) -> int:
    """Tokens of the text alone; the end of the turn has none."""
    return len(tokenizer.encode(text, add_special_tokens=False).ids)
