"""The model picker: what the catalog knows with what it needs here, or any Hub id or folder."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.bench.fitting import fit, free_memory_bytes
from app.bench.format import bytes_text
from app.ui.server import get_server
from backends.catalog import catalog, resolve
from backends.errors import DynoError
from backends.local.formats import FORMATS, catalog_bytes

_TYPED = "another"


def draw_model_picker(current: str, choose: Callable[[str], None]) -> None:
    """Choose the model of every setup: sizes first, so that nobody downloads what cannot run. What
    is chosen instead of `current` goes to `choose`."""
    free = free_memory_bytes()
    known = list(catalog())
    public = get_server().settings.public
    options = known if public else [*known, _TYPED]
    chosen = st.radio(
        "Model in every setup",
        options,
        index=options.index(current) if current in options else len(options) - 1,
        format_func=lambda id_: catalog()[id_].title if id_ in catalog() else "Another one",
        captions=[_caption(id_, free) for id_ in options],
        key="model-choice",
    )
    if chosen != _TYPED:
        if chosen != current:
            st.button("Use it", type="primary", on_click=choose, args=(chosen,))
        return
    typed = st.text_input(
        "Hub id, local folder or GGUF file",
        value="" if current in known else current,
        placeholder="org/name, /path/to/folder or /path/to/file.gguf",
        key="model-typed",
        help="Safetensors, or GGUF for llama.cpp; code in a checkpoint is never run.",
    ).strip()
    if not typed or typed == current:
        return
    try:
        resolve(typed)
    except DynoError as error:
        st.error(f"{error.message} {error.remedy}")
        return
    st.button("Use it", type="primary", on_click=choose, args=(typed,))


def _caption(id_: str, free_bytes: int) -> str:
    """What the model is and needs, in 16 bits and, where that is too much, in 4."""
    entry = catalog().get(id_)
    if entry is None:
        return ""
    if entry.is_bundled:
        return entry.about
    half = catalog_bytes(entry, FORMATS["bf16"])
    facts = f"{half / 1e9:.2g} GB in 16 bits, {entry.licence}"
    if entry.gated:
        facts += ", gated: wants a token"
    match fit(entry, free_bytes):
        case "16 bits":
            return f"{facts}. Fits here."
        case "4 bits":
            small = catalog_bytes(entry, FORMATS["nf4"])
            return f"{facts}. Here only in 4 bits ({bytes_text(small)})."
        case "none":
            return f"{facts}. Too big here: {bytes_text(free_bytes)} are free."
