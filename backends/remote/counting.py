"""Counts an answer's tokens where the server does not, with the tokenizer that the user names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from huggingface_hub import hf_hub_download
from tokenizers import Tokenizer

from backends.catalog import resolve
from backends.errors import ModelNotFound

_FILE = "tokenizer.json"


def counter(name: str) -> Callable[[str], int]:
    """Counts tokens of a text with the tokenizer of a catalog model, a folder or a Hub id; the end
    of a turn is none. Raises `ModelNotFound`."""
    source = resolve(name)
    try:
        folder = Path(source)
        path = folder / _FILE if folder.is_dir() else Path(hf_hub_download(source, _FILE))
        tokenizer = Tokenizer.from_file(str(path))
    # The library raises plain exceptions for files that it cannot read.
    except Exception as error:
        raise ModelNotFound(
            f"No tokenizer of “{name}” can be read ({type(error).__name__}).",
            f"Name a model that has a {_FILE}, or leave the tokenizer empty.",
        ) from error
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
