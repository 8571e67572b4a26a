"""Workloads: what is in the repository, what users bring, and the salt that keeps caches out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bench.experiments import workloads
from app.bench.experiments.workloads import (
    Workload,
    WorkloadInvalid,
    built_in,
    is_salted,
    load_workload,
    pasted,
    prompts_of,
    salt_of,
    salted,
    uploaded,
)
from backends.request import Message


def user(text: str) -> Message:
    return Message(role="user", content=text)


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", built_in())
def test_every_built_in_workload_ends_each_conversation_with_a_question(name: str) -> None:
    workload = load_workload(name)
    assert all(messages[-1].role == "user" for messages in workload.conversations)
    assert sum(workload.turns) >= 4


def test_the_named_built_in_workloads_are_there() -> None:
    assert set(built_in()) == {
        *("short-chat", "list", "rewriting", "long-context", "conversations", "code-like"),
        "facts",
    }


def test_long_context_is_long_and_conversations_have_several_turns() -> None:
    long = load_workload("long-context")
    assert min(len(messages[0].content) for messages in long.conversations) > 500
    assert min(load_workload("conversations").turns) >= 3


def test_each_turn_is_asked_with_what_came_before_it() -> None:
    answer = Message(role="assistant", content="Hi.")
    assert prompts_of([user("a"), answer, user("b")]) == [
        (user("a"),),
        (user("a"), answer, user("b")),
    ]


def test_a_line_is_a_prompt(tmp_path: Path) -> None:
    workload = load_workload(written(tmp_path, "mine.txt", "\ufeffOne\n\n  Two  \n"))
    assert workload.conversations == ((user("One"),), (user("Two"),))


def test_a_csv_has_a_column_of_prompts(tmp_path: Path) -> None:
    text = 'id,prompt\n1,"Two\nlines, quoted"\n2,\n3,Plain\n'
    workload = load_workload(written(tmp_path, "mine.csv", text))
    assert workload.conversations == ((user("Two\nlines, quoted"),), (user("Plain"),))


def test_jsonl_has_prompts_or_messages(tmp_path: Path) -> None:
    spoken = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "B"}]
    lines = [{"prompt": "A\u2028"}, {"messages": spoken}]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    workload = load_workload(written(tmp_path, "mine.jsonl", text))
    assert workload.conversations[0] == (user("A"),)
    assert [one.role for one in workload.conversations[1]] == ["system", "user"]


def test_pasted_lines_and_uploaded_files_are_workloads_too() -> None:
    assert pasted("One\n\n Two ").conversations == ((user("One"),), (user("Two"),))
    with pytest.raises(WorkloadInvalid, match="pasted prompts has no prompts"):
        pasted(" \n")
    one = uploaded("C/mine.jsonl", b'{"prompt": "One"}')
    assert (one.name, one.conversations) == ("mine.jsonl", ((user("One"),),))
    with pytest.raises(WorkloadInvalid, match="cannot be read as prompts"):
        uploaded("mine.docx", b"One")
    with pytest.raises(WorkloadInvalid, match="not UTF-8"):
        uploaded("mine.txt", b"\xff")


def test_a_prompt_may_carry_the_answers_that_are_right(tmp_path: Path) -> None:
    csv = "prompt,answer\nCapital of Ukraine?,Kyiv | Kiev\nAnd now?,\n"
    assert load_workload(written(tmp_path, "a.csv", csv)).answers == (("Kyiv", "Kiev"), None)
    given: list[object] = ["13", ["yes", "a|b"], 13, None, []]
    text = "\n".join(json.dumps({"prompt": "?", "answer": one}) for one in given)
    found = load_workload(written(tmp_path, "a.jsonl", text)).answers
    assert found == (("13",), ("yes", "a|b"), ("13",), None, None)
    assert pasted("One\nTwo").answers == (None, None)


def test_other_right_answers_are_another_workload() -> None:
    conversations = ((user("One?"),),)
    plain, right = Workload("a", conversations), Workload("a", conversations, (("1",),))
    assert plain.digest != right.digest
    assert plain.digest == Workload("b", conversations, (None,)).digest
    with pytest.raises(ValueError, match="for all conversations"):
        Workload("a", conversations, (None, None))


def test_the_facts_have_answers_that_the_question_does_not_give_away() -> None:
    facts = load_workload("facts")
    assert len(facts.conversations) == 60
    for messages, answers in zip(facts.conversations, facts.answers, strict=True):
        assert answers
        asked = messages[-1].content.rstrip("?").split()
        assert not set(answers) & set(asked)
    assert sum(turns > 1 for turns in facts.turns) >= 10


def test_sharegpt_keeps_what_lies_between_the_first_and_the_last_question(tmp_path: Path) -> None:
    turns = [("gpt", "Hello!"), ("human", "A"), ("gpt", "B"), ("human", "C"), ("gpt", "D")]
    entry = {"id": "1", "conversations": [{"from": who, "value": text} for who, text in turns]}
    workload = load_workload(written(tmp_path, "mine.json", json.dumps([entry])))
    assert [one.content for one in workload.conversations[0]] == ["A", "B", "C"]
    assert workload.turns == (2,)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("empty.txt", "\n \n", "has no prompts"),
        ("other.csv", "text\nHello\n", "no column “prompt”"),
        ("broken.jsonl", '{"prompt": "A"}\n{"prompt"\n', "line 2 is not JSON"),
        ("other.jsonl", '{"text": "A"}\n', "neither “prompt” nor “messages”"),
        ("odd.jsonl", '{"messages": [{"role": "robot", "content": "A"}]}\n', "another shape"),
        (
            "silent.jsonl",
            '{"messages": [{"role": "system", "content": "A"}]}',
            "no turn of the user",
        ),
        ("object.json", "{}", "no list of conversations"),
        ("odd.json", '[{"conversations": [{"from": "robot", "value": "A"}]}]', "known “from”"),
        ("odd.json", '[{"conversations": [{"from": "human", "value": 3}]}]', "another shape"),
        ("odd.jsonl", '{"prompt": "A", "answer": {"a": 1}}', "neither text nor a list"),
        ("prompts.docx", "Hello", "There is no workload"),
    ],
)
def test_a_file_of_another_shape_is_refused(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(WorkloadInvalid) as caught:
        load_workload(written(tmp_path, name, text))
    assert said in caught.value.message
    assert caught.value.remedy


def test_a_wrong_encoding_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("Größe".encode("latin-1"))
    with pytest.raises(WorkloadInvalid, match="not UTF-8 text \\(byte 3\\)"):
        load_workload(str(path))


def test_a_million_lines_are_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(WorkloadInvalid, match="more than 10,000 prompts"):
        load_workload(written(tmp_path, "many.txt", "Hello\n" * 1_000_000))


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workloads, "MAX_FILE_BYTES", 3)
    with pytest.raises(WorkloadInvalid, match="at most"):
        load_workload(written(tmp_path, "large.txt", "Hello"))


def test_a_prompt_too_long_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkloadInvalid, match="Prompt 2"):
        load_workload(written(tmp_path, "long.txt", "short\n" + "x" * 50), max_prompt_chars=20)


def test_a_changed_file_has_another_digest(tmp_path: Path) -> None:
    first = load_workload(written(tmp_path, "mine.txt", "One")).digest
    assert load_workload(written(tmp_path, "mine.txt", "Two")).digest != first


def test_the_salt_stands_at_the_very_start_and_leaves_the_question() -> None:
    messages = salted([user("What is prefill?")], "QXBT")
    assert messages[0] == Message(role="system", content="Your name is Q X B T.")
    assert messages[1:] == (user("What is prefill?"),)
    system = Message(role="system", content="Be brief.")
    assert salted([system, user("A")], "QXBT")[0].content == "Your name is Q X B T. Be brief."
    assert salted([user("A")], "") == (user("A"),)
    assert is_salted(messages)
    assert not is_salted([user("A")])
    assert not is_salted([Message(role="system", content="Your name is Q. X.")])


def test_salts_differ_by_place_and_repeat_with_the_seed() -> None:
    salts = [salt_of(0, round_, index) for round_ in range(20) for index in range(10)]
    assert len(set(salts)) > 195
    assert salt_of(0, 3, 4) == salt_of(0, 3, 4) != salt_of(1, 3, 4)
