"""Short names for setups: made of what differs between the columns, never of all toggles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from app.bench.conversation import Column, Comparison
from backends.capabilities import NOT_TOGGLES
from backends.catalog import title_of
from backends.errors import DynoError
from backends.registry import get_backend
from backends.setup import Setup


def words_of(setup: Setup) -> dict[str, str]:
    """Each toggle in a word or two, by field, in the order of a label; empty for what is off, and
    for what the backend does not offer: a server's weights are not told."""
    words = {
        "model": title_of(setup.model),
        "backend": _BACKENDS.get(setup.backend, setup.backend),
        "weights": _WEIGHTS.get(setup.weights, setup.weights),
        "kv_cache": {"off": "KV off", "dynamic": "KV on"}.get(
            setup.kv_cache, f"KV {setup.kv_cache}"
        ),
        "reuse_prefix": "prefix reused" if setup.reuse_prefix else "",
        "speculation": _SPECULATION[setup.speculation],
        "draft_model": title_of(setup.draft_model) if setup.draft_model else "",
        "draft_tokens": f"{setup.draft_tokens} guesses" if setup.draft_tokens else "",
        "compile": "compiled" if setup.compile else "",
        "attention": "" if setup.attention == "sdpa" else f"{setup.attention} attention",
        "prefill_chunk": f"prefill by {setup.prefill_chunk}" if setup.prefill_chunk else "",
        "history": "no history" if setup.history == "none" else "history",
        "device": setup.device,
        "threads": _threads(setup.threads),
        "revision": setup.revision[:8] if setup.revision else "main",
    }
    offered = offered_toggles(setup.backend)
    told = {name: word for name, word in words.items() if name not in _TOGGLES - offered}
    return told | {
        name: _option_words(setup.backend, name, value) for name, value in setup.options.items()
    }


def offered_toggles(backend: str) -> set[str]:
    """Names of the toggles that a backend offers; all that there are where it is not here."""
    try:
        return {toggle.name for toggle in get_backend(backend).capabilities().toggles}
    except DynoError:
        return set(_TOGGLES)


def _option_words(backend: str, name: str, value: object) -> str:
    """A choice has words of its own and a text speaks for itself, an address by who is there; a
    number does not."""
    if not isinstance(value, str):
        return f"{name} {value}"
    known = _choice_words(backend, name).get(value)
    return known or urlsplit(value).netloc or title_of(value)


def _choice_words(backend: str, name: str) -> dict[str, str]:
    try:
        toggle = get_backend(backend).capabilities().toggle(name)
    except DynoError:
        return {}
    return {choice.value: choice.label for choice in toggle.choices} if toggle else {}


def _threads(threads: int | None) -> str:
    if threads is None:
        return "default threads"
    return "1 thread" if threads == 1 else f"{threads} threads"


_TOGGLES = frozenset(Setup.model_fields) - NOT_TOGGLES
_BACKENDS = {"local": "", "endpoint": "server", "llamacpp": "llama.cpp"}
_WEIGHTS = {
    **{"int8": "INT8", "nf4": "NF4", "gptq-int4": "INT4 GPTQ", "gptq-int8": "INT8 GPTQ"},
    **{"q8_0": "Q8_0", "q4_0": "Q4_0", "q4_k_m": "Q4_K_M", "gguf": "GGUF"},
}
_SPECULATION = {"none": "", "draft": "draft", "lookup": "prompt lookup"}
_ALWAYS = ("weights", "kv_cache")


def labels(setups: Sequence[Setup]) -> list[str]:
    """One label a setup: weights and cache, and whatever else differs; equal ones are numbered."""
    described = [words_of(setup) for setup in setups]
    fields = dict.fromkeys(name for words in described for name in words)
    differing = [name for name in fields if _differs(name, described)]
    shown = [name for name in fields if name in differing or name in _ALWAYS]
    made = [" · ".join(words[n] for n in shown if words.get(n)) for words in described]
    numbered = []
    for index, label in enumerate(made):
        earlier = made[:index].count(label)
        numbered.append(f"{label} ({earlier + 1})" if earlier else label)
    return numbered


def _differs(name: str, described: Sequence[Mapping[str, str]]) -> bool:
    """A toggle among those that have it; an option also from not being set."""
    said = {words.get(name, None if name in _TOGGLES else "") for words in described}
    return len(said - {None}) > 1


def label_of(column: Column, comparison: Comparison) -> str:
    """The column's own name, or one made of what differs from the others."""
    if column.label:
        return column.label
    index = [other.key for other in comparison.columns].index(column.key)
    return labels([other.setup for other in comparison.columns])[index]
