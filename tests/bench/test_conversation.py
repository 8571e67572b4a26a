"""Permalinks carry a whole comparison or say that they are broken; histories stay apart."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.bench.conversation import Column, Comparison, Conversation
from backends.errors import InvalidSetup
from backends.request import Sampling
from backends.setup import Setup
from tests.bench.samples import make_conversation, make_run

COMPARISON = Comparison(
    columns=(
        Column(key="a", setup=Setup(weights="bf16"), label="ünï · “code” ☃"),
        Column(key="b", setup=Setup(kv_cache="off"), sampling=Sampling(temperature=0.5)),
    ),
    sampling=Sampling(max_new_tokens=64, fixed_length=True),
    race=True,
)


def packed(value: object) -> str:
    raw = json.dumps(value).encode()
    return base64.urlsafe_b64encode(zlib.compress(raw)).decode().rstrip("=")


def test_a_permalink_carries_the_whole_comparison_in_url_safe_text() -> None:
    link = COMPARISON.to_permalink()
    assert Comparison.from_permalink(link) == COMPARISON
    assert link.replace("-", "").replace("_", "").isalnum()


def test_six_columns_fit_a_link() -> None:
    columns = tuple(Column(setup=Setup(threads=n + 1), label="x" * 60) for n in range(6))
    link = Comparison(columns=columns, sampling=Sampling(system_prompt="s" * 500)).to_permalink()
    assert len(link) < 2_000
    assert len(Comparison.from_permalink(link).columns) == 6


def test_a_link_that_was_cut_anywhere_is_refused() -> None:
    link = COMPARISON.to_permalink()
    for length in range(len(link)):
        with pytest.raises(InvalidSetup, match="broken or was cut off"):
            Comparison.from_permalink(link[:length])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "!!!!",
        "ünï",
        "x" * 10_000,
        "\x00",
        base64.urlsafe_b64encode(b"not compressed").decode(),
        packed("a string"),
        packed({}),
        packed({"columns": []}),
        packed({"columns": [{"setup": {"weights": "int1"}}]}),
        packed({"columns": [{"setup": {}, "key": "../etc"}]}),
        packed({"columns": [{"setup": {"model": "x" * 513}}]}),
        packed({"columns": [{"setup": {}}], "surprise": 1}),
        packed({"columns": [{"setup": {}}] * 7}),
        packed({"columns": [{"setup": {}, "label": "x" * 61}]}),
        base64.urlsafe_b64encode(zlib.compress(b"\xff\xfe{")).decode(),
    ],
)
def test_garbage_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(InvalidSetup) as caught:
        Comparison.from_permalink(text)
    assert caught.value.remedy


def test_a_link_that_unpacks_to_gigabytes_is_refused_without_unpacking_it() -> None:
    # A deflate stream can be a thousandth of what it holds: 8 000 characters hold 6 MB.
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 5_000_000, 9)).decode()
    assert len(bomb) < 8_000
    with pytest.raises(InvalidSetup, match="broken"):
        Comparison.from_permalink(bomb)


@pytest.mark.parametrize("path", ["/etc", "./models", "../x", "~/model", "C:\\models"])
def test_a_folder_is_neither_put_into_a_link_nor_taken_from_one(path: str) -> None:
    comparison = Comparison(columns=(Column(setup=Setup(model=path)),))
    with pytest.raises(InvalidSetup, match="local folder"):
        comparison.to_permalink()
    with pytest.raises(InvalidSetup, match="folder of a machine"):
        Comparison.from_permalink(packed(comparison.model_dump(mode="json")))


@pytest.mark.parametrize(
    "setup",
    [
        Setup(speculation="draft", draft_model="/home/ann/draft"),
        Setup(backend="endpoint", options={"address": "http://x/v1", "tokenizer": "~/tokenizer"}),
    ],
)
def test_no_part_of_a_setup_puts_a_folder_into_a_link(setup: Setup) -> None:
    comparison = Comparison(columns=(Column(setup=setup),))
    with pytest.raises(InvalidSetup, match="local folder"):
        comparison.to_permalink()
    with pytest.raises(InvalidSetup, match="folder of a machine"):
        Comparison.from_permalink(packed(comparison.model_dump(mode="json")))


def test_the_name_of_a_folder_that_exists_counts_as_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret-model").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidSetup):
        Comparison(columns=(Column(setup=Setup(model="secret-model")),)).to_permalink()


def test_a_model_name_longer_than_a_file_name_is_only_a_name() -> None:
    comparison = Comparison(columns=(Column(setup=Setup(model="x" * 400)),))
    assert Comparison.from_permalink(comparison.to_permalink()) == comparison


def test_a_comparison_has_one_to_six_columns() -> None:
    for count in (0, 7):
        with pytest.raises(ValidationError):
            Comparison(columns=tuple(Column(setup=Setup()) for _ in range(count)))


def test_sampling_is_linked_unless_a_column_has_its_own() -> None:
    linked, own = COMPARISON.columns
    assert COMPARISON.sampling_of(linked) == COMPARISON.sampling
    assert COMPARISON.sampling_of(own).temperature == 0.5


def answered(**answers: tuple[str, ...]) -> Conversation:
    conversation = make_conversation("one", "two")
    turns = tuple(
        turn.model_copy(
            update={
                "runs": {
                    key: make_run(answer=said[turn.index])
                    for key, said in answers.items()
                    if turn.index < len(said)
                }
            }
        )
        for turn in conversation.turns
    )
    return conversation.model_copy(update={"turns": turns})


def said(conversation: Conversation, key: str) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in conversation.messages_for(key, "three")]


def test_each_column_goes_on_from_its_own_answers() -> None:
    conversation = answered(a=("A1", "A2"), b=("B1", "B2"))
    assert said(conversation, "b") == [
        ("user", "one"),
        ("assistant", "B1"),
        ("user", "two"),
        ("assistant", "B2"),
        ("user", "three"),
    ]


def test_a_turn_that_a_column_did_not_answer_is_left_out_of_its_history() -> None:
    conversation = answered(a=("", "A2"))
    assert said(conversation, "a") == [("user", "two"), ("assistant", "A2"), ("user", "three")]
    assert said(conversation, "new") == [("user", "three")]


def test_dropped_turns_are_not_sent_in_their_column() -> None:
    conversation = answered(a=("A1", "A2"), b=("B1", "B2")).model_copy(
        update={"dropped_turns": {"a": 1}}
    )
    assert said(conversation, "a") == [("user", "two"), ("assistant", "A2"), ("user", "three")]
    assert len(said(conversation, "b")) == 5
