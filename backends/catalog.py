"""The models that the app knows by name, and where any other name leads: a folder or a Hub id."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from backends.errors import ModelNotFound
from backends.settings import ROOT

BUNDLED = "bundled"
_CATALOG_FILE = Path(__file__).with_name("catalog.toml")
_HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?$")


class CatalogModel(BaseModel):
    """A model family: its target, its draft and its target quantized with GPTQ, each a folder of
    the repository or a Hub id, and the sizes that say whether it fits before it is downloaded.

    `embedding_parameters` are the weights that stay in 16 bits when the rest is quantized;
    `sliding_window` is how many tokens the layers see that do not see all, where there are such.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    target: str
    draft: str | None = None
    gptq_int4: str | None = None
    gptq_int8: str | None = None
    serverless: str | None = None
    parameters: int
    embedding_parameters: int
    layers: int
    kv_heads: int
    head_size: int
    context: int
    sliding_window: int | None = None
    licence: str
    gated: bool = False
    about: str = ""

    @property
    def is_bundled(self) -> bool:
        return self.target.startswith("models/")

    def kv_cache_bytes(self, tokens: int, item_bytes: int = 2) -> int:
        """Keys and values of so many tokens: 2 x layers x KV heads x head size x bytes, each."""
        return 2 * self.layers * self.kv_heads * self.head_size * item_bytes * tokens


@cache
def catalog() -> dict[str, CatalogModel]:
    entries = tomllib.loads(_CATALOG_FILE.read_text(encoding="utf-8"))["model"]
    models = [CatalogModel.model_validate(entry) for entry in entries]
    return {model.id: model for model in models}


def is_gguf(name: str) -> bool:
    """Whether `name` means a file of llama.cpp's format."""
    return name.lower().endswith(".gguf")


def looks_like_a_path(name: str) -> bool:
    """Whether `name` means a folder or file on this machine rather than a Hub id."""
    starts = name.startswith(("/", "./", "../", "~", ".\\"))
    return starts or "\\" in name or is_gguf(name) or _is_folder(name)


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:  # longer than any file name
        return False


def resolve(name: str) -> str:
    """What a setup's `model` means: an absolute folder or GGUF file, or a Hub id.

    Raises `ModelNotFound` where the name can be neither.
    """
    entry = catalog().get(name)
    if entry is not None:
        folder = ROOT / entry.target
        return str(folder) if folder.is_dir() or name == BUNDLED else entry.target
    if is_gguf(name):
        file = Path(name).expanduser().resolve()
        if not file.is_file():
            raise ModelNotFound(f"There is no file {name}.", "Check the path.")
        return str(file)
    if looks_like_a_path(name):
        folder = Path(name).expanduser().resolve()
        if not folder.is_dir():
            raise ModelNotFound(
                f"There is no folder {name}.", "Check the path, or type a Hub id such as org/name."
            )
        return str(folder)
    if not _HUB_ID.match(name):
        raise ModelNotFound(
            f"“{name}” is neither a folder nor a Hub id.",
            "A Hub id looks like org/name, a folder starts with / or ./ .",
        )
    return name


def placed(source: str) -> str:
    """A folder of the repository as a path, a Hub id as it is."""
    folder = ROOT / source
    return str(folder) if folder.is_dir() else source


def title_of(name: str) -> str:
    """A short name for people."""
    entry = catalog().get(name)
    if entry is not None:
        return entry.title
    return Path(name).name if looks_like_a_path(name) else name
