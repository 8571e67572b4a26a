"""Labels say what differs between the columns, in a few words."""

from __future__ import annotations

from app.bench.conversation import Column, Comparison
from app.bench.labels import label_of, labels, words_of
from backends.setup import Setup


def test_weights_and_cache_are_always_said() -> None:
    assert labels([Setup()]) == ["fp32 · KV on"]
    assert labels([Setup(), Setup(kv_cache="off")]) == ["fp32 · KV on", "fp32 · KV off"]


def test_what_is_the_same_everywhere_is_left_out() -> None:
    made = labels([Setup(threads=2), Setup(threads=2, weights="bf16")])
    assert made == ["fp32 · KV on", "bf16 · KV on"]


def test_what_differs_is_said() -> None:
    assert labels([Setup(), Setup(history="none")]) == [
        "fp32 · KV on · history",
        "fp32 · KV on · no history",
    ]
    assert labels([Setup(threads=1), Setup()]) == [
        "fp32 · KV on · 1 thread",
        "fp32 · KV on · default threads",
    ]
    assert labels([Setup(revision="0123456789"), Setup()]) == [
        "fp32 · KV on · 01234567",
        "fp32 · KV on · main",
    ]


def test_what_is_off_is_not_said() -> None:
    assert labels([Setup(), Setup(weights="gptq-int4", speculation="draft", draft_tokens=4)]) == [
        "fp32 · KV on",
        "INT4 GPTQ · KV on · draft · 4 guesses",
    ]
    assert labels([Setup(kv_cache="static"), Setup(kv_cache="static", compile=True)]) == [
        "fp32 · KV static",
        "fp32 · KV static · compiled",
    ]


def test_models_that_differ_come_first() -> None:
    first, second = labels([Setup(), Setup(model="org/other")])
    assert first.endswith("fp32 · KV on")
    assert first != second
    assert second == "org/other · fp32 · KV on"


def test_an_option_that_the_page_has_never_seen_is_said_too() -> None:
    made = labels([Setup(options={"turbo": True}), Setup()])
    assert made == ["fp32 · KV on · turbo True", "fp32 · KV on"]


def test_equal_setups_are_numbered() -> None:
    assert labels([Setup(), Setup(), Setup()]) == [
        "fp32 · KV on",
        "fp32 · KV on (2)",
        "fp32 · KV on (3)",
    ]


def test_labels_are_never_the_same_twice() -> None:
    setups = [
        Setup(weights=weights, kv_cache=kv, history=history)
        for weights in ("fp32", "bf16")
        for kv in ("dynamic", "off")
        for history in ("full", "none")
    ]
    assert len(set(labels(setups))) == len(setups)


def test_every_toggle_has_words() -> None:
    fields = set(Setup.model_fields) - {"schema_version", "options"}
    assert set(words_of(Setup())) == fields


def test_a_columns_own_name_goes_before() -> None:
    named = Column(key="a", setup=Setup(), label="The reference")
    other = Column(key="b", setup=Setup(weights="bf16"))
    comparison = Comparison(columns=(named, other))
    assert label_of(named, comparison) == "The reference"
    assert label_of(other, comparison) == "bf16 · KV on"


def test_what_a_backend_does_not_offer_is_not_said_of_it() -> None:
    served = Setup(backend="endpoint", options={"address": "http://localhost:8000/v1"})
    assert labels([Setup(), served]) == [
        "fp32 · KV on",
        "server · localhost:8000",
    ]
    hosted = Setup(backend="serverless", options={"routing": "cheapest"})
    kind = Setup(
        backend="endpoint", options={"address": "http://localhost:8000/v1", "server": "vllm"}
    )
    assert labels([Setup(), hosted, kind])[1:] == [
        "serverless · cheapest",
        "server · localhost:8000 · vLLM",
    ]
