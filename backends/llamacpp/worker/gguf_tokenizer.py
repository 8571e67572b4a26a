"""Writes a checkpoint's tokenizer and chat template into a GGUF file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf

from backends.errors import LoadFailed
from backends.llamacpp.checkpoints import Config

_SINGLE_DIGITS = json.dumps([{"type": "Digits", "individual_digits": True}])


def write_tokenizer(writer: Any, folder: Path, config: Config) -> None:
    """The tokenizer, where llama.cpp has the same one; else none. Our engine reads the
    checkpoint's own in either case; this one is for whoever takes the file elsewhere."""
    found = read_json(folder / "tokenizer.json") if (folder / "tokenizer.json").is_file() else {}
    split = _split_name(found)
    if split is None:
        writer.add_tokenizer_model("no_vocab")
        return
    size = config["vocab_size"]
    tokens = [f"[UNUSED{index}]" for index in range(size)]
    types = [gguf.TokenType.UNUSED] * size
    for token, index in found["model"]["vocab"].items():
        tokens[index], types[index] = token, gguf.TokenType.NORMAL
    for added in found["added_tokens"]:
        kind = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
        tokens[added["id"]], types[added["id"]] = added["content"], kind
    pairs = found["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in pairs])
    writer.add_add_bos_token(False)
    for id_of, add in (
        ("bos_token_id", writer.add_bos_token_id),
        ("eos_token_id", writer.add_eos_token_id),
        ("pad_token_id", writer.add_pad_token_id),
    ):
        value = config.get(id_of)
        value = value[0] if isinstance(value, list) else value
        if value is not None:
            add(value)
    template = _template(folder)
    if template is not None:
        writer.add_chat_template(template)


def _template(folder: Path) -> str | None:
    """The checkpoint's chat template; older versions of transformers kept it elsewhere."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    file = folder / "tokenizer_config.json"
    template = read_json(file).get("chat_template") if file.is_file() else None
    return template if isinstance(template, str) else None


def _split_name(tokenizer: dict[str, Any]) -> str | None:
    """What llama.cpp calls this tokenizer's way to split text before merging, where it is one of
    the two that are the same beyond doubt; None where it is another, or merges nothing."""
    split, model = tokenizer.get("pre_tokenizer") or {}, tokenizer.get("model") or {}
    is_plain = tokenizer.get("normalizer") is None and model.get("type") == "BPE"
    if not is_plain or not model["merges"] or not _is_byte_level(tokenizer.get("decoder") or {}):
        return None
    *before, last = split.get("pretokenizers", [split])
    if not _is_byte_level(last) or last.get("add_prefix_space"):
        return None
    names = {_SINGLE_DIGITS: "smollm", "[]": "gpt-2"}
    return names.get(json.dumps(before))


def _is_byte_level(part: dict[str, Any]) -> bool:
    return part.get("type") == "ByteLevel" and part.get("use_regex", True)


def read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LoadFailed(f"{path.name} cannot be read.", "Download or copy it again.") from error
    return found if isinstance(found, dict) else {}
